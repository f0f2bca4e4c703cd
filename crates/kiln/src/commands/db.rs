use kiln_vuln::{Database, Date, SliceInfo};
use serde_json::json;

use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome, Table};

/// The advisory database
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show what it covers and how old it is
    Status,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this signature")]
pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    match args.action {
        Action::Status => status(context),
    }
    Ok(Outcome::Fine)
}

/// Today, by this machine's clock.
pub(crate) fn today() -> Date {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Date::from_unix(since.map_or(0, |since| since.as_secs()))
}

fn status(context: &Context) {
    let database = Database::embedded();
    let today = today();
    if context.format == Format::Json {
        let slices: Vec<_> = database
            .slices()
            .iter()
            .map(|slice| json!({"slice": slice, "age_days": slice.as_of.age(today)}))
            .collect();
        let value = json!({"checksum": database.checksum(), "newest": database.newest(), "slices": slices});
        return output::data(&value.to_string());
    }
    let mut table =
        Table::new(&["SLICE", "ADVISORIES", "PACKAGES", "COMPLETE TO", "AGE", "RELEASES", "SOURCE"]);
    for slice in database.slices() {
        let age = format!("{} days", slice.as_of.age(today));
        table.row(vec![
            slice.name.clone(),
            slice.advisories.to_string(),
            slice.packages.to_string(),
            slice.as_of.to_string(),
            age,
            releases(slice),
            slice.source.clone(),
        ]);
    }
    output::data(&table.render());
}

fn releases(slice: &SliceInfo) -> String {
    let names: Vec<&str> = slice
        .releases
        .iter()
        .filter(|release| release.complete)
        .map(|release| release.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "-".to_owned(),
        names if names.len() > 4 => format!("{} of them", names.len()),
        names => names.join(" "),
    }
}
