//! What becomes of an image that `kiln ship` refused, and what a person can do next.

use kiln_finding::Failure;
use kiln_oci::Descriptor;
use kiln_policy::Scorecard;
use kiln_store::{Layout, Refused};
use kiln_vuln::Date;

use crate::output::row;

/// Until when an exception is suggested: long enough to mend what it excuses.
const EXCEPTION_DAYS: u32 = 30;

/// Keeps the image under its digest; the name stays with what passed last.
pub(crate) fn keep(
    card: &Scorecard,
    layout: &Layout,
    manifest: &Descriptor,
    name: &str,
) -> Result<(), Failure> {
    let by = card.stopping().map(|line| line.id.clone()).collect();
    Ok(layout.keep_refused(manifest, &Refused { name: name.to_owned(), by })?)
}

/// The last lines: where the image is, what alone makes it pass, and how somebody answers for it.
pub(crate) fn told(card: &Scorecard, manifest: &Descriptor, name: &str) -> String {
    let digest = format!("sha256:{}", manifest.digest.short());
    let kept = format!("{digest}, without its name; `kiln images --refused` lists it");
    let lines = [
        row("kept", &kept),
        row("look", &format!("kiln scan {digest}")),
        row("passes", &passes(card)),
        row("or", "somebody answers for it until a day, in kiln.toml:"),
    ];
    format!("\n{}\n\n{}", lines.join("\n"), exceptions(card, name))
}

/// What makes it pass.
fn passes(card: &Scorecard) -> String {
    let stopping: Vec<_> = card.stopping().collect();
    match &stopping[..] {
        [line] => match &line.cure {
            Some(cure) => format!("by this alone: {cure} ({})", line.id),
            None => format!("when {} does", line.id),
        },
        lines => {
            let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
            format!("when each of {} does; no single change is enough", ids.join(", "))
        }
    }
}

/// What to paste, complete but for what only a person can say.
fn exceptions(card: &Scorecard, name: &str) -> String {
    let subject = name.rsplit_once(':').map_or(name, |(name, _)| name);
    let expires = Date::from_days(card.today.days() + EXCEPTION_DAYS);
    let exception = |id: &str| {
        format!(
            "    [[exception]]\n    id = \"{id}\"\n    subject = \"{subject}:*\"\n    reason = \"\"  # why this is acceptable\n    \
             owner = \"\"   # who answers for it\n    expires = \"{expires}\""
        )
    };
    card.stopping().map(|line| exception(&line.id)).collect::<Vec<_>>().join("\n")
}
