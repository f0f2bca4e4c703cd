use std::path::{Path, PathBuf};

use kiln_executor::Progress as _;
use kiln_finding::{Class, Failure};
use kiln_images::clock::rfc3339;
use kiln_proof::trust::{Change, Kept, kept};
use kiln_trust::Published;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::progress::Stages;

pub(super) static COMMAND: Command<Args> = Command { order: 5, ..Command::new("trust", Group::Sign, run) };

/// Roots of trust: whom certificates of signers are traced back to
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show which roots are known, from where, and how old they are
    Status,
    /// Bring the roots that a TUF repository publishes, proven from those that are known
    Update(Update),
}

#[derive(clap::Args)]
struct Update {
    /// Address or folder of the repository; by default the one of last time
    #[arg(long, value_name = "URL", requires = "root")]
    mirror: Option<String>,
    /// Root metadata to start from, which somebody you trust handed you: a root.json
    #[arg(long, value_name = "FILE", requires = "mirror")]
    root: Option<PathBuf>,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let known = match &args.action {
        Action::Status => kept(&context.machine)?,
        Action::Update(args) => Some(update(args, context)?),
    };
    output::data(&match (context.format, &known) {
        (Format::Human, None) => {
            "no roots are known: `kiln trust update` brings those of an instance".to_owned()
        }
        (Format::Human, Some(kept)) => table(kept),
        (Format::Json, known) => json(known.as_ref()),
    });
    Ok(Outcome::Fine)
}

fn update(args: &Update, context: &Context) -> Result<Kept, Failure> {
    let change = Change::begin(&context.machine)?;
    let from = if let (Some(mirror), Some(root)) = (&args.mirror, &args.root) {
        begin(mirror, root, context)?
    } else {
        let missing = || {
            Failure::usage("update the roots of trust: none are known yet")
                .with_help("name the repository and the root to start from: --mirror URL --root root.json")
        };
        kept(&context.machine)?.ok_or_else(missing)?.published
    };
    let ca_files = context.config.registry.ca_files.clone();
    let stages = Stages::new(context.quiet);
    stages.start("trust", from.mirror());
    let kept = change.refresh(&from, ca_files)?;
    stages.done(&format!("version {} of {}", kept.published.version(), kept.published.mirror()));
    Ok(kept)
}

/// From the root that the user names. What is known of the same repository stays known, so that nobody can go back behind it.
fn begin(mirror: &str, root: &Path, context: &Context) -> Result<Published, Failure> {
    let anchor = kiln_disk::read_given_text(root, kiln_disk::DOCUMENT_MAX).map_err(|error| {
        Failure::new("kiln.trusted_root", Class::Usage, format!("read {}", root.display()))
            .with_cause(error.to_string())
    })?;
    let new = Published::begin(mirror, &anchor);
    let known = kept(&context.machine)?.map(|kept| kept.published);
    Ok(known.filter(|known| known.begins_like(&new)).unwrap_or(new))
}

fn table(kept: &Kept) -> String {
    let published = &kept.published;
    let age = match kept.age_days() {
        u64::MAX => "in the future: the clock of this machine is wrong, or was".to_owned(),
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    };
    let config = if published.signing_config().is_some() { "published, too" } else { "none" };
    let mut table = kiln_report::Table::new(&["from", published.mirror()]);
    for (name, value) in [
        ("version", published.version().to_string()),
        ("looked up", age),
        ("fresh until", rfc3339(published.expires())),
        ("signing config", config.to_owned()),
        ("file", kept.path.display().to_string()),
    ] {
        table.row(vec![name.to_owned(), value]);
    }
    table.render()
}

fn json(kept: Option<&Kept>) -> String {
    let Some(kept) = kept else { return json!({ "known": false }).to_string() };
    let published = &kept.published;
    json!({
        "known": true,
        "mirror": published.mirror(),
        "version": published.version(),
        "looked_up": rfc3339(published.checked()),
        "age_days": kept.age_days(),
        "fresh_until": rfc3339(published.expires()),
        "signing_config": published.signing_config().is_some(),
        "file": kept.path,
    })
    .to_string()
}
