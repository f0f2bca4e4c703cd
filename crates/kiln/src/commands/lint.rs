use std::path::{Path, PathBuf};

use clap::ValueEnum;
use kiln_finding::{Class, Failure};
use kiln_lint::{Level, LintSettings, Profile, Repair, fix};
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::diff;
use crate::global::Format;
use crate::lint::{self, LintReport};
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> = Command {
    order: 3,
    kind: Some(kiln_report::Kind::Lint),
    uses_folders: false,
    ..Command::new("lint", Group::Look, run)
};

/// Find what is wrong in Dockerfiles, and repair it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Dockerfiles, or folders that are searched for them
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) asked: Asked,
    /// Repair what can be repaired without changing what the image does
    #[arg(long)]
    fix: bool,
    /// Repair what may change the image, too
    #[arg(long = "unsafe", requires = "fix")]
    may_be_unsafe: bool,
    /// Show what --fix would change, and write nothing
    #[arg(long, requires = "fix")]
    diff: bool,
    /// Write nothing; exit with 1 if --fix would change something
    #[arg(long, requires = "fix")]
    check: bool,
}

/// What is asked, and what is a failure.
#[derive(clap::Args)]
pub(super) struct Asked {
    /// Where the image will run; some rules are asked only there
    #[arg(long)]
    profile: Option<Where>,
    /// Ask this rule, too
    #[arg(long, value_name = "ID")]
    enable: Vec<String>,
    /// Do not ask this rule
    #[arg(long, value_name = "ID")]
    disable: Vec<String>,
    /// The stage that is built
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// The folder that the build starts from; guessed from what the file copies
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Exit with 1 from this level on
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    Docker,
    Kubernetes,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Info,
    Warning,
    Error,
    Never,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let files = kiln_app::dockerfiles(&args.paths)?;
    let settings = args.asked.settings(context)?;
    let reports = lint::lint(&files, args.asked.context.as_deref(), &settings)?;
    if args.fix {
        let repairs = Repairs { may_be_unsafe: args.may_be_unsafe, diff: args.diff, check: args.check };
        return repair(repairs, &reports, &settings, context);
    }
    Ok(args.asked.judge(&reports, context))
}

impl Asked {
    pub(super) fn settings(&self, context: &Context) -> Result<LintSettings, Failure> {
        let mut choice = context.config.lint.clone();
        if let Some(place) = self.profile {
            choice.profile = Some(match place {
                Where::Docker => Profile::Docker,
                Where::Kubernetes => Profile::Kubernetes,
            });
        }
        choice.enable.extend(self.enable.iter().cloned());
        choice.disable.extend(self.disable.iter().cloned());
        let mut settings = choice.settings()?;
        settings.target.clone_from(&self.target);
        Ok(settings)
    }

    /// Looks at one file and judges it.
    pub(super) fn check(&self, file: PathBuf, context: &Context) -> Result<Outcome, Failure> {
        let settings = self.settings(context)?;
        let reports = lint::lint(&[file], self.context.as_deref(), &settings)?;
        Ok(self.judge(&reports, context))
    }

    fn judge(&self, reports: &[LintReport], context: &Context) -> Outcome {
        lint::show(reports, context);
        let limit = match self.fail_on {
            FailOn::Info => Level::Info,
            FailOn::Warning => Level::Warning,
            FailOn::Error => Level::Error,
            FailOn::Never => return Outcome::Fine,
        };
        let worst = reports.iter().filter_map(|report| report.linted.worst()).max();
        if worst.is_some_and(|worst| worst >= limit) { Outcome::Refused } else { Outcome::Fine }
    }
}

/// Which repairs are made, and whether they are written.
#[derive(Clone, Copy)]
pub(super) struct Repairs {
    pub(super) may_be_unsafe: bool,
    pub(super) diff: bool,
    pub(super) check: bool,
}

/// Repairs one Dockerfile without changing its structure.
pub(super) fn edit(file: PathBuf, repairs: Repairs, context: &Context) -> Result<Outcome, Failure> {
    let settings = context.config.lint.settings()?;
    let reports = lint::lint(&[file], None, &settings)?;
    repair(repairs, &reports, &settings, context)
}

fn repair(
    repairs: Repairs,
    reports: &[LintReport],
    settings: &LintSettings,
    context: &Context,
) -> Result<Outcome, Failure> {
    let limit = if repairs.may_be_unsafe { Repair::Unsafe } else { Repair::Safe };
    let only_look = repairs.diff || repairs.check;
    let mut values = Vec::new();
    let mut changed = 0;
    for report in reports {
        let old = &report.linted.file.text;
        let fixed = fix(old, report.around.as_ref(), settings, limit);
        if fixed.text == *old {
            continue;
        }
        if !report.is_text {
            output::talk(&format!("{} is no UTF-8 text, so it is left alone", report.path.display()));
            continue;
        }
        changed += 1;
        let name = report.path.display().to_string();
        let patch = diff::unified(name.trim_start_matches("./").trim_start_matches('/'), old, &fixed.text);
        if !only_look {
            write(&report.path, &fixed.text)?;
        }
        let is_data = context.format == Format::Json;
        if repairs.diff && !is_data {
            output::data(patch.trim_end());
        } else if !context.quiet && !is_data {
            for applied in &fixed.applied {
                output::talk(&format!("{name}:{}: {}: {}", applied.line, applied.id, applied.title));
            }
        }
        let applied = fixed
            .applied
            .iter()
            .map(|applied| json!({"id": applied.id, "line": applied.line, "title": applied.title}));
        values.push(json!({"path": name, "written": !only_look, "diff": patch, "applied": applied.collect::<Vec<_>>()}));
    }
    if context.output.name == "json" {
        output::data(&json!(values).to_string());
    } else if !context.quiet {
        let done = if only_look { "would change" } else { "changed" };
        output::talk(&format!("{done} {changed} of {} files", reports.len()));
    }
    Ok(if repairs.check && changed > 0 { Outcome::Refused } else { Outcome::Fine })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    // A link stays a link, as long as it leads to a file of the same project.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if std::fs::canonicalize(folder).is_ok_and(|folder| !target.starts_with(folder)) {
        let what = format!("write {}: it is a link to {}", path.display(), target.display());
        return Err(Failure::new("kiln.write", Class::Config, what)
            .with_help("name that file itself, if it is the one to be repaired"));
    }
    Ok(kiln_store::replace_file(&target, text.as_bytes())?)
}
