use std::path::{Path, PathBuf};

use kiln_app::App;
use kiln_executor::Outside;
use kiln_finding::{Class, Failure};
use kiln_plan::{dockerfile, dockerignore, plan};

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> = Command {
    order: 3,
    project: |args| Some(args.project()),
    uses_folders: false,
    ..Command::new("plan", Group::Make, run)
};

/// Show how an app would be built and run, as a Dockerfile, and why
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the app
    #[arg(default_value = ".")]
    app: PathBuf,
    /// Write Dockerfile and .dockerignore into the app's folder
    #[arg(long)]
    write: bool,
    /// With --write: replace files that are there
    #[arg(long, requires = "write")]
    force: bool,
}

impl Args {
    /// The folder that is built from.
    fn project(&self) -> &Path {
        &self.app
    }
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let config = &context.config;
    let app = App::collect(&args.app)?;
    let plan = plan(&app.facts, &config.overrides()?)?;
    let text = dockerfile(&plan, &app.facts);
    let left_out = plan.shipping.left_out(&app.tree);
    let network = Outside::choose(None)?;
    if args.write {
        for (name, text) in [("Dockerfile", text.as_str()), (".dockerignore", dockerignore().as_str())] {
            write(&args.app.join(name), text, args.force)?;
        }
    }
    match context.format {
        Format::Json => output::data(
            &serde_json::json!({ "plan": plan, "dockerfile": text, "network": network.name(), "files": app.facts.files, "left_out": left_out }).to_string(),
        ),
        Format::Human => {
            if !args.write {
                output::data(text.trim_end());
            }
            if !context.quiet {
                output::talk("");
                for reason in &plan.reasons {
                    output::talk(&format!("  {}: {} — {}", reason.about, reason.decision, reason.because));
                }
                for (files, why) in kiln_plan::shortly(&left_out) {
                    output::talk(&format!("  left out: {files} — {why}"));
                }
                output::talk(&format!("  network: {} — {}", network.name(), network.because()));
            }
        }
    }
    Ok(Outcome::Fine)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    if path.exists() && !force {
        let what = format!("write {}: there is such a file already", path.display());
        return Err(Failure::new("kiln.write", Class::Usage, what).with_help("pass --force to replace it"));
    }
    // A link stays a link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Ok(kiln_store::replace_file(&target, text.as_bytes())?)
}
