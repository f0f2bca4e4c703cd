use std::time::{Duration, SystemTime};

use kiln_finding::{Failure, size};
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::folders;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::pruning::{Gone, Order, age, prune_cache, prune_store};

/// What is not used for so long goes from the cache: 30 days.
const UNUSED_FOR: Duration = Duration::from_hours(30 * 24);

pub(super) static COMMAND: Command<Args> = Command {
    order: 6,
    prepare: |_| prepare(),
    project: |_| None,
    uses_folders: false,
    ..Command::new("prune", Group::Keep, run)
};

/// Free space: remove what no image needs, and what builds have not used for long
///
/// From the store goes what no name leads to, at once; images without a name, and what lies in the cache, where nothing used it for
/// 30 days. Waits for other kilns that use the same folders.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only show what would go
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Remove what was not used for so long (30d, 12h, 4w), and only blobs that are as old
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// Remove the whole cache, and all images without a name
    #[arg(long, short, conflicts_with = "older_than")]
    all: bool,
}

/// Takes the ids of what the commands of Dockerfiles left, before anything else happens.
fn prepare() -> Result<(), Failure> {
    kiln_executor::adopt_ids()
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let before = SystemTime::now()
        .checked_sub(args.older_than.unwrap_or(UNUSED_FOR))
        .unwrap_or(SystemTime::UNIX_EPOCH);
    let order =
        Order { before, counts_for_blobs: args.older_than.is_some(), all: args.all, only_look: args.dry_run };
    let mut gone = Vec::new();
    if let Some(_alone) = folders::alone(&context.machine.data_dir)?
        && context.machine.store().is_dir()
    {
        if !order.only_look {
            folders::sweep_data(&context.machine.data_dir);
            folders::sweep_older(&context.machine.data_dir);
        }
        gone.extend(prune_store(&context.machine.layout()?, &order)?);
    }
    if let Some(_alone) = folders::alone(&context.machine.cache_dir)? {
        if !order.only_look {
            folders::sweep_cache(&context.machine.cache_dir);
        }
        gone.extend(prune_cache(&context.machine.cache_dir, &order)?);
    }
    show(&gone, args.dry_run, context);
    Ok(Outcome::Fine)
}

fn show(gone: &[Gone], dry_run: bool, context: &Context) {
    let bytes: u64 = gone.iter().map(|gone| gone.bytes).sum();
    if context.format == Format::Json {
        let kinds: Vec<_> = gone
            .iter()
            .map(|gone| json!({ "kind": gone.kind, "count": gone.count, "bytes": gone.bytes }))
            .collect();
        return output::data(&json!({ "dryRun": dry_run, "bytes": bytes, "kinds": kinds }).to_string());
    }
    let mut table = kiln_report::Table::new(&[if dry_run { "WOULD GO" } else { "GONE" }, "COUNT", "SIZE"]);
    for gone in gone.iter().filter(|gone| gone.count > 0) {
        table.row(vec![gone.kind.to_owned(), gone.count.to_string(), size(gone.bytes)]);
    }
    let count: u64 = gone.iter().map(|gone| gone.count).sum();
    table.row(vec!["together".to_owned(), count.to_string(), size(bytes)]);
    output::data(&table.render());
}
