use kiln_policy::{Counts, Scorecard};
use serde::Serialize;

use crate::{Format, Options};

/// For programs. Fields are added, never renamed, as long as `version` is 1.
pub(super) static FORMAT: Format = Format { name: "json", extension: "json", render };

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    passes: bool,
    summary: String,
    counts: Counts,
    #[serde(flatten)]
    card: &'a Scorecard,
}

fn render(card: &Scorecard, _: Options) -> String {
    let document =
        Document { version: 1, passes: card.passes(), summary: card.summary(), counts: card.counts(), card };
    let mut text =
        serde_json::to_string_pretty(&document).expect("a card holds only JSON values with text keys");
    text.push('\n');
    text
}
