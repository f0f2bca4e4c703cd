//! The advisory database of this machine: which one is used, where it is kept, and how it is changed.

mod artifact;
mod documents;
mod file;
mod keep;
mod settings;

use std::path::{Path, PathBuf};

pub(crate) use artifact::{publish, pull};
pub(crate) use documents::{Document, Documents};
pub(crate) use keep::{Change, Kept, Provenance};
use kiln_finding::{Class, Failure};
use kiln_vuln::{Database, Date};
pub(crate) use settings::{Settings, Signed};

use crate::clock::now;
use crate::context::Context;

/// Most bytes of a database.
pub(crate) const DATABASE_MAX: u64 = 1 << 30;

/// Which advisories are used.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Choice {
    /// Use this advisory database in place of the newest that is here
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Fail if the advisories are older than this
    #[arg(long, value_name = "DAYS")]
    db_max_age: Option<u32>,
}

/// A database and where it is from.
pub(crate) struct Opened {
    pub(crate) database: Database<'static>,
    pub(crate) origin: Origin,
}

/// Where a database is from.
pub(crate) enum Origin {
    /// The one inside kiln.
    Embedded,
    /// The one that `kiln db update` brought.
    Updated(Kept),
    /// The one named on the command line.
    File(PathBuf),
}

impl Choice {
    /// Opens the database named on the command line, else the newest of the one that was brought and the one inside kiln.
    pub(crate) fn open(&self, context: &Context) -> Result<Opened, Failure> {
        let opened = match &self.db {
            Some(path) => {
                let database = Database::read(Box::new(file::AtPath::open(path)?))
                    .map_err(|error| named(error, path))?;
                Opened { database, origin: Origin::File(path.clone()) }
            }
            None => newest(context)?,
        };
        self.check_age(&opened)?;
        Ok(opened)
    }

    fn check_age(&self, opened: &Opened) -> Result<(), Failure> {
        let Some(most) = self.db_max_age else { return Ok(()) };
        let today = today();
        let old = opened.database.slices().iter().filter(|slice| slice.ecosystem.is_some());
        let Some(oldest) = old.max_by_key(|slice| slice.as_of.age(today)) else { return Ok(()) };
        let age = oldest.as_of.age(today);
        if age <= most {
            return Ok(());
        }
        let what = format!(
            "use the advisories: those of `{}` are {age} days old, and --db-max-age is {most}",
            oldest.name
        );
        Err(Failure::new("db.old", Class::Environment, what).with_help("kiln db update brings newer ones"))
    }
}

/// The newest database of this machine.
pub(crate) fn newest(context: &Context) -> Result<Opened, Failure> {
    let embedded = Database::embedded();
    if let Some((kept, database)) = keep::open(context)?
        && database.newest() >= embedded.newest()
    {
        return Ok(Opened { database, origin: Origin::Updated(kept) });
    }
    Ok(Opened { database: embedded, origin: Origin::Embedded })
}

/// Today, by this machine's clock.
pub(crate) fn today() -> Date {
    Date::from_unix(now().cast_unsigned())
}

fn named(error: kiln_vuln::Error, path: &Path) -> Failure {
    let mut failure = Failure::from(error);
    failure.what = format!("{} ({})", failure.what, path.display());
    failure
}

fn failed(doing: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new("db.file", Class::Environment, format!("{doing} {}", path.display()))
        .with_cause(error.to_string())
}
