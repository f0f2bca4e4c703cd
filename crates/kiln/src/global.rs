use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kiln_report::FORMATS;

/// What every command takes.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// How results are written to standard output; the help of a command lists what it can
    #[arg(long, global = true, value_parser = formats(|_| true), default_value = "human", hide_possible_values = true)]
    pub(crate) format: &'static kiln_report::Format,
    /// Say nothing on standard error but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Use only what this machine already holds
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Read this file in place of kiln.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep images and keys here in place of the XDG data folder
    #[arg(long, global = true, value_name = "DIR", env = "KILN_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep downloads and build results here in place of the XDG cache folder
    #[arg(long, global = true, value_name = "DIR", env = "KILN_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// What every command can write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

impl Format {
    /// The one that comes nearest to what was asked for.
    pub(crate) fn of(asked: &kiln_report::Format) -> Self {
        if asked.is_json { Self::Json } else { Self::Human }
    }
}

/// The formats of the table that are taken, as values of an argument.
pub(crate) fn formats(
    is_taken: impl Fn(&kiln_report::Format) -> bool,
) -> impl TypedValueParser<Value = &'static kiln_report::Format> {
    let taken = FORMATS.iter().filter(|format| is_taken(format));
    let names = taken.map(|format| PossibleValue::new(format.name).help(format.about));
    let known = |name: String| kiln_report::Format::find(&name).expect("only names of the table are taken");
    PossibleValuesParser::new(names).map(known)
}
