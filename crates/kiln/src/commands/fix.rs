use std::path::{Path, PathBuf};

use kiln_finding::Class;
use kiln_rewrite::{Answer, Choice, Rewritten, Target, rewrite};
use serde_json::json;

use super::lint::Repairs;
use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::{diff, dockerfile_project, prove};

/// Rewrite the Dockerfile of an app into hardened form
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the app; a Dockerfile that is named itself is edited, and keeps its structure
    #[arg(default_value = ".")]
    app: PathBuf,
    /// What the image shall be based on
    #[arg(long, value_name = "BASE", value_parser = targets())]
    to: Option<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    diff: bool,
    /// Write nothing; exit with 1 if something would change
    #[arg(long)]
    check: bool,
    /// Build the app before and after, compare the images, and write nothing if the new one does not build
    #[arg(long)]
    prove: bool,
    /// Change what may change the app, too: the line of Node
    #[arg(long = "unsafe")]
    may_be_unsafe: bool,
}

fn targets() -> clap::builder::PossibleValuesParser {
    Target::all().iter().map(|target| target.name.as_str()).collect::<Vec<_>>().into()
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    if args.app.is_file() {
        if args.to.is_some() || args.prove {
            return Err(Failure::usage(format!(
                "rewrite {}: a rewrite needs the folder of the app",
                args.app.display()
            ))
            .with_help("name the folder; a file alone is edited, without --to and --prove"));
        }
        let repairs = Repairs { may_be_unsafe: args.may_be_unsafe, diff: args.diff, check: args.check };
        return super::lint::edit(args.app.clone(), repairs, context);
    }
    let project = dockerfile_project::collect(&args.app)?;
    let choice = Choice {
        target: args.to.as_deref().and_then(Target::find),
        may_change_node: args.may_be_unsafe,
        today: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
    };
    match rewrite(&project, &choice) {
        Answer::Fine => {
            told(context, &json!({ "changed": [], "refused": [] }), "nothing to change");
            Ok(Outcome::Fine)
        }
        Answer::Refused(obstacles) => {
            let lines: Vec<String> =
                obstacles.iter().map(|obstacle| format!("Dockerfile: {obstacle}")).collect();
            told(context, &json!({ "changed": [], "refused": obstacles_as_json(&obstacles) }), "");
            if context.format == Format::Human {
                output::talk("not rewritten, because it could not be right:");
                for line in lines {
                    output::talk(&format!("  {line}"));
                }
            }
            Ok(Outcome::Refused)
        }
        Answer::Rewritten(rewritten) => apply(args, context, &rewritten),
    }
}

fn obstacles_as_json(obstacles: &[kiln_rewrite::Obstacle]) -> Vec<serde_json::Value> {
    obstacles.iter().map(|obstacle| json!({ "line": obstacle.line, "why": obstacle.why })).collect()
}

fn told(context: &Context, value: &serde_json::Value, text: &str) {
    match context.format {
        Format::Json => output::data(&value.to_string()),
        Format::Human if !context.quiet && !text.is_empty() => output::talk(text),
        Format::Human => {}
    }
}

fn apply(args: &Args, context: &Context, rewritten: &Rewritten) -> Result<Outcome, Failure> {
    let only_look = args.diff || args.check;
    let proof = if args.prove { Some(prove::prove(&args.app, &rewritten.files, context)?) } else { None };
    let mut diffs = Vec::new();
    for (name, text) in &rewritten.files {
        let path = args.app.join(name);
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        diffs.push(diff::unified(name, &old, text));
        if !only_look {
            write(&path, text)?;
        }
    }
    match context.format {
        Format::Json => {
            let mut value = as_json(rewritten, !only_look, &diffs);
            if let Some(proof) = &proof {
                value["proof"] = json!(proof);
            }
            output::data(&value.to_string());
        }
        Format::Human => {
            if args.diff {
                output::data(diffs.concat().trim_end());
            }
            if !context.quiet {
                show(rewritten, only_look);
            }
            if let Some(proof) = &proof {
                output::data(&proof.as_text());
            }
        }
    }
    Ok(if args.check { Outcome::Refused } else { Outcome::Fine })
}

fn as_json(rewritten: &Rewritten, is_written: bool, diffs: &[String]) -> serde_json::Value {
    let names: Vec<&str> = rewritten.files.iter().map(|(name, _)| name.as_str()).collect();
    let faults: Vec<_> =
        rewritten.faults.iter().map(|fault| json!({ "line": fault.line, "what": fault.what })).collect();
    json!({
        "changed": names,
        "written": is_written,
        "base": rewritten.target,
        "faults": faults,
        "notes": rewritten.notes,
        "refused": [],
        "diff": diffs.concat(),
    })
}

fn show(rewritten: &Rewritten, only_look: bool) {
    if !rewritten.faults.is_empty() {
        output::talk("what was wrong:");
    }
    rewritten.faults.iter().for_each(|fault| output::talk(&format!("  {fault}")));
    if !rewritten.notes.is_empty() {
        output::talk("to know:");
    }
    rewritten.notes.iter().for_each(|note| output::talk(&format!("  {note}")));
    let names: Vec<&str> = rewritten.files.iter().map(|(name, _)| name.as_str()).collect();
    output::talk(&format!("{} {}", if only_look { "would write" } else { "wrote" }, names.join(", ")));
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    kiln_store::replace_file(path, text.as_bytes()).map_err(|error| {
        Failure::new("kiln.write", Class::Environment, format!("write {}", path.display()))
            .with_cause(error.to_string())
    })
}
