use std::path::{Path, PathBuf};

use kiln_app::{App, DockerIgnore, Folder};
use kiln_dockerfile::Ignore;
use kiln_finding::{Class, Failure};
use kiln_lint::{Applied, LintSettings, Repair};
use kiln_rewrite::{Answer, Choice, Fault, Obstacle, Project, RewriteTarget, rewrite};
use serde_json::{Value, json};

use super::lint::Repairs;
use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::{diff, lint, prove};

const DOCKERIGNORE: &str = ".dockerignore";

pub(super) static COMMAND: Command<Args> = Command {
    order: 4,
    prepare,
    project: |args| Some(args.project()),
    ..Command::new("fix", Group::Make, run)
};

/// Rewrite the Dockerfile of an app into hardened form
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the app; a Dockerfile that is named itself is edited, and keeps its structure
    #[arg(default_value = ".")]
    app: PathBuf,
    /// What the image shall be based on; what it is based on already if that is hardened, else distroless
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
    /// Change what may change the app, too, such as the line of Node
    #[arg(long = "unsafe")]
    may_be_unsafe: bool,
}

impl Args {
    /// The folder that is rewritten.
    fn project(&self) -> &Path {
        &self.app
    }
}

fn targets() -> clap::builder::PossibleValuesParser {
    RewriteTarget::all().iter().map(|target| target.name.as_str()).collect::<Vec<_>>().into()
}

/// What is to be done, and why.
#[derive(Default)]
struct Plan {
    files: Vec<(String, String)>,
    target: Option<&'static str>,
    faults: Vec<Fault>,
    notes: Vec<String>,
    refused: Vec<Obstacle>,
    edits: Vec<Applied>,
}

/// Takes the ids that the commands of a Dockerfile may have, before anything else happens.
fn prepare(args: &Args) -> Result<(), Failure> {
    if args.prove { kiln_executor::adopt_ids() } else { Ok(()) }
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
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
    let (project, ignore_file) = read(&args.app)?;
    let settings = context.config.lint.settings()?;
    let choice = Choice {
        target: args.to.as_deref().and_then(RewriteTarget::find),
        may_change_node: args.may_be_unsafe,
        today: settings.today.clone(),
    };
    let mut plan = match rewrite(&project, &choice) {
        Answer::Fine => Plan::default(),
        Answer::Refused(refused) => Plan { refused, ..Plan::default() },
        Answer::Rewritten(rewritten) => Plan {
            files: rewritten.files,
            target: rewritten.target,
            faults: rewritten.faults,
            notes: rewritten.notes,
            ..Plan::default()
        },
    };
    edit(args, &project, &settings, &mut plan)?;
    for (name, _) in plan.files.iter_mut().filter(|(name, _)| name == DOCKERIGNORE) {
        name.clone_from(&ignore_file);
    }
    carry_out(args, context, &plan)
}

/// The Dockerfile of a folder and all that a rewrite of it must know; and the name of the `.dockerignore` that counts for it.
fn read(folder: &Path) -> Result<(Project, String), Failure> {
    let opened = Folder::open(folder)?;
    let path = folder.join("Dockerfile");
    let dockerfile = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX).map_err(|error| {
        Failure::new("kiln.no_dockerfile", Class::Usage, format!("read {}", path.display()))
            .with_cause(error.to_string())
            .with_help(
                "name the folder of an app with a Dockerfile, or run `kiln plan --write` for a first one",
            )
    })?;
    let ignore = DockerIgnore::read(&opened, Some(&path))?;
    let app = App::collect_beside(folder, &path)?;
    let name = |found: &DockerIgnore| Some(found.place.file_name()?.to_string_lossy().into_owned());
    let ignore_file = ignore.as_ref().and_then(name).unwrap_or_else(|| DOCKERIGNORE.to_owned());
    let project = Project {
        dockerfile,
        dockerignore: ignore.map(|found| found.text),
        npmrc: app.text(".npmrc")?,
        manifests: app.manifests()?.into_iter().collect(),
        npm_lock: app.text("package-lock.json")?,
        scripts: app.scripts()?.into_iter().collect(),
        facts: app.facts,
    };
    Ok((project, ignore_file))
}

/// What the rules repair line by line: in the new file, or in the old one where that stays.
fn edit(args: &Args, project: &Project, settings: &LintSettings, plan: &mut Plan) -> Result<(), Failure> {
    let limit = if args.may_be_unsafe { Repair::Unsafe } else { Repair::Safe };
    let reports = lint::lint(&[args.app.join("Dockerfile")], Some(&args.app), settings)?;
    let mut around = reports.into_iter().find_map(|report| report.around);
    let new = |name: &str| plan.files.iter().find(|(file, _)| file == name).map(|(_, text)| text.clone());
    if let (Some(around), Some(text)) = (&mut around, new(DOCKERIGNORE)) {
        around.ignore = Some(Ignore::parse(&text));
    }
    let text = new("Dockerfile").unwrap_or_else(|| project.dockerfile.clone());
    let fixed = kiln_lint::fix(&text, around.as_ref(), settings, limit);
    if fixed.text != text {
        plan.files.retain(|(name, _)| name != "Dockerfile");
        plan.files.insert(0, ("Dockerfile".to_owned(), fixed.text));
        plan.edits = fixed.applied;
    }
    Ok(())
}

fn carry_out(args: &Args, context: &Context, plan: &Plan) -> Result<Outcome, Failure> {
    let only_look = args.diff || args.check;
    let is_proven = args.prove && !plan.files.is_empty();
    let proof = if is_proven { Some(prove::prove(&args.app, &plan.files, context)?) } else { None };
    let mut diffs = Vec::new();
    for (name, text) in &plan.files {
        let path = args.app.join(name);
        let old = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX).unwrap_or_default();
        diffs.push(diff::unified(name, &old, text));
        if !only_look {
            kiln_store::replace_file(&path, text.as_bytes())?;
        }
    }
    match context.format {
        Format::Json => {
            let mut value = as_json(plan, !only_look, &diffs);
            if let Some(proof) = &proof {
                value["proof"] = json!(proof);
            }
            output::data(&value.to_string());
        }
        Format::Human => {
            if args.diff && !diffs.is_empty() {
                output::data(diffs.concat().trim_end());
            }
            if !context.quiet || !plan.refused.is_empty() {
                show(plan, only_look);
            }
            if let Some(proof) = &proof {
                output::data(&proof.as_text());
            }
        }
    }
    let is_refused = !plan.refused.is_empty() || (args.check && !plan.files.is_empty());
    Ok(if is_refused { Outcome::Refused } else { Outcome::Fine })
}

fn as_json(plan: &Plan, is_written: bool, diffs: &[String]) -> Value {
    let names: Vec<&str> = plan.files.iter().map(|(name, _)| name.as_str()).collect();
    let faults = plan.faults.iter().map(|fault| json!({ "line": fault.line, "what": fault.what }));
    let refused = plan.refused.iter().map(|obstacle| json!({ "line": obstacle.line, "why": obstacle.why }));
    let edits = plan.edits.iter().map(|edit| json!({ "id": edit.id, "line": edit.line, "what": edit.title }));
    json!({
        "changed": names,
        "written": is_written && !names.is_empty(),
        "base": plan.target,
        "faults": faults.collect::<Vec<_>>(),
        "notes": plan.notes,
        "edits": edits.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "diff": diffs.concat(),
    })
}

fn show(plan: &Plan, only_look: bool) {
    list("what was wrong:", plan.faults.iter().map(ToString::to_string));
    list(
        "repaired:",
        plan.edits.iter().map(|edit| format!("line {}: {}: {}", edit.line, edit.id, edit.title)),
    );
    list("to know:", plan.notes.iter().cloned());
    let refused = plan.refused.iter().map(|obstacle| format!("Dockerfile: {obstacle}"));
    list("the structure stays, because another could not be right:", refused);
    let names: Vec<&str> = plan.files.iter().map(|(name, _)| name.as_str()).collect();
    match (names.is_empty(), only_look) {
        (true, _) if plan.refused.is_empty() => output::talk("nothing to change"),
        (true, _) => {}
        (false, true) => output::talk(&format!("would write {}", names.join(", "))),
        (false, false) => output::talk(&format!("wrote {}", names.join(", "))),
    }
}

fn list(heading: &str, lines: impl Iterator<Item = String>) {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            output::talk(heading);
        }
        output::talk(&format!("  {line}"));
    }
}
