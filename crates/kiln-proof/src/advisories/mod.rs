//! The advisory database of this machine: which one is used, where it is kept, and how it is changed.

mod artifact;
mod file;
mod keep;
mod settings;

use std::path::{Path, PathBuf};

pub use artifact::{publish, pull};
pub use keep::{Change, Kept, Provenance};
use kiln_finding::{Class, Failure};
use kiln_images::Machine;
use kiln_images::clock::now;
use kiln_vuln::{Database, Date, MaxAge};
pub use settings::{AdvisorySettings, Signed};

/// Most bytes of a database.
pub const DATABASE_MAX: u64 = 1 << 30;

/// A database and where it is from.
pub struct Opened {
    /// The advisories.
    pub database: Database<'static>,
    /// Where they are from.
    pub origin: Origin,
}

/// Where a database is from.
pub enum Origin {
    /// The one inside kiln.
    Embedded,
    /// The one that `kiln db update` brought.
    Updated(Kept),
    /// The one that somebody named.
    File(PathBuf),
}

/// Opens the database in `file`, else the newest of the one that was brought and the one inside kiln. It is refused if any part of
/// it is older than `max_age` says.
pub fn open(machine: &Machine, file: Option<&Path>, max_age: Option<&MaxAge>) -> Result<Opened, Failure> {
    let opened = match file {
        Some(path) => {
            let database =
                Database::read(Box::new(file::AtPath::open(path)?)).map_err(|error| named(error, path))?;
            Opened { database, origin: Origin::File(path.to_owned()) }
        }
        None => newest(machine)?,
    };
    if let Some(most) = max_age {
        check_age(&opened, most)?;
    }
    Ok(opened)
}

fn check_age(opened: &Opened, max_age: &MaxAge) -> Result<(), Failure> {
    let today = today();
    let feeds = opened.database.slices().iter().filter(|slice| slice.ecosystem.is_some());
    let too_old = feeds.filter_map(|slice| {
        let (age, most) = (slice.as_of.age(today), max_age.of(&slice.name)?);
        (age > most).then_some((age, most, &slice.name))
    });
    let Some((age, most, name)) = too_old.max_by_key(|(age, ..)| *age) else { return Ok(()) };
    let what =
        format!("use the advisories: those of `{name}` are {age} days old, and --db-max-age is {most}");
    Err(Failure::new("db.old", Class::Environment, what).with_help("kiln db update brings newer ones"))
}

/// The newest database of this machine.
pub fn newest(machine: &Machine) -> Result<Opened, Failure> {
    let embedded = Database::embedded();
    if let Some((kept, database)) = keep::open(machine)?
        && database.newest() >= embedded.newest()
    {
        return Ok(Opened { database, origin: Origin::Updated(kept) });
    }
    Ok(Opened { database: embedded, origin: Origin::Embedded })
}

/// Today, by this machine's clock.
pub fn today() -> Date {
    Date::from_unix(now().cast_unsigned())
}

fn named(error: kiln_vuln::Error, path: &Path) -> Failure {
    let mut failure = Failure::from(error);
    failure.what = format!("{} ({})", failure.what, path.display());
    failure
}

/// A file of the advisories that cannot be used.
pub fn failed(doing: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new("db.file", Class::Environment, format!("{doing} {}", path.display()))
        .with_cause(error.to_string())
}
