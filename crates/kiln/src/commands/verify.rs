use std::path::PathBuf;

use kiln_trust::Report;

use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::ship::{self, Keys, REQUIRED, read_public};
use crate::subject::Subject;

/// Check the signature of an image and the statements made about it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image: a name in kiln's store, oci:DIR[:TAG], or registry.example/team/app:1
    image: String,
    /// Public key that must have signed; kiln's own by default
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Predicate type of a statement that must be there; by default signature, SPDX, CycloneDX and provenance
    #[arg(long = "require", value_name = "TYPE")]
    required: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let subject = Subject::open(context, &args.image)?;
    let key = match &args.key {
        Some(path) => read_public(path)?,
        None => Keys::local(context).public()?,
    };
    let required: Vec<&str> = match &args.required[..] {
        [] => REQUIRED.to_vec(),
        given => given.iter().map(String::as_str).collect(),
    };
    let report = ship::verify(subject.place(), &subject.image.descriptor, &key, &required)?;
    output::data(&match context.format {
        Format::Human => text(&report),
        Format::Json => json(&report),
    });
    Ok(if report.is_satisfied() { Outcome::Fine } else { Outcome::Refused })
}

fn text(report: &Report) -> String {
    let mut lines = vec![report.image.to_string()];
    for outcome in &report.outcomes {
        let mark = if outcome.found { "✓ verified" } else { "✗ missing " };
        lines.push(format!("  {mark}  {}", outcome.name));
    }
    let rejected = report.rejected.iter().map(|rejected| format!("  – not counted: {}", rejected.why));
    lines.extend(rejected);
    lines.join("\n")
}

fn json(report: &Report) -> String {
    serde_json::json!({
        "digest": report.image,
        "verified": report.is_satisfied(),
        "required": report.outcomes,
        "rejected": report.rejected,
    })
    .to_string()
}
