use kiln_finding::Failure;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::doctor::{self, Found, State};
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> = Command {
    order: 2,
    project: |_| None,
    uses_folders: false,
    ..Command::new("doctor", Group::Machine, run)
};

/// Say what this machine lacks, and the cure
///
/// Exit code 1 if something is broken. Every blob of the store is hashed, whatever was noted about it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Put aside damaged blobs, and take names away that lead to nothing
    #[arg(long)]
    repair: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let found = doctor::examine(context, args.repair);
    match context.format {
        Format::Json => output::data(&json!({ "checks": found }).to_string()),
        Format::Human => output::data(&text(&found)),
    }
    let is_broken = found.iter().any(|found| found.state == State::Broken);
    Ok(if is_broken { Outcome::Refused } else { Outcome::Fine })
}

fn text(found: &[Found]) -> String {
    let width = found.iter().map(|found| found.about.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for found in found {
        let mark = match found.state {
            State::Fine => "✓",
            State::Weak => "!",
            State::Broken => "✗",
        };
        let indent = width + 4;
        let about = format!("{mark} {:width$}  ", found.about);
        lines.push(output::wrapped(&about, &found.what, indent));
        if let Some(cure) = &found.cure {
            lines.push(output::wrapped(&" ".repeat(indent), &format!("→ {cure}"), indent + 2));
        }
    }
    lines.join("\n")
}
