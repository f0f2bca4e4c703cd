use kiln_policy::{Counts, Scorecard};
use serde::Serialize;

use crate::Stamp;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    passes: bool,
    summary: String,
    counts: Counts,
    #[serde(flatten)]
    card: &'a Scorecard,
}

pub(crate) fn render(card: &Scorecard, _: &Stamp) -> String {
    let document =
        Document { version: 1, passes: card.passes(), summary: card.summary(), counts: card.counts(), card };
    serde_json::to_string_pretty(&document).expect("a card holds only JSON values with text keys")
}
