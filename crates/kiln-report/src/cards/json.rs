use kiln_policy::{Counts, Scorecard};
use serde::Serialize;

use crate::Stamp;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    passes: bool,
    result: String,
    counts: Counts,
    #[serde(flatten)]
    card: &'a Scorecard,
}

pub(crate) fn render(card: &Scorecard, _: &Stamp) -> String {
    let document =
        Document { version: 2, passes: card.passes(), result: card.result(), counts: card.counts(), card };
    serde_json::to_string_pretty(&document).expect("a card holds only JSON values with text keys")
}
