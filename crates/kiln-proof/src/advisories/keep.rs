//! The database that `kiln db update` brings, below the data folder: changed by one process at a time, seen whole by all.

use std::fs;
use std::path::PathBuf;

use kiln_disk::{Holding, Lock};
use kiln_finding::{Class, Failure};
use kiln_images::Machine;
use kiln_vuln::{Database, MAX_SHRINK_PERCENT, shrunk};
use serde::{Deserialize, Serialize};

use super::file::AtPath;
use super::{failed, named, newest};

const FOLDER: &str = "advisories";
const DATABASE: &str = "advisories.kdb";
const PROVENANCE: &str = "provenance.json";

/// The database in the data folder.
pub struct Kept {
    /// Where it lies.
    pub path: PathBuf,
    /// Where it came from; `None` where that was lost.
    pub provenance: Option<Provenance>,
}

/// Where a database came from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// Addresses or the name of an artifact, as they were given.
    pub from: Vec<String>,
    /// When it was brought; RFC 3339.
    pub at: String,
    /// The key whose signature was verified; `None` where nobody signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Checksum of the database this is about.
    pub checksum: String,
}

/// Opens the database in the data folder, if there is one.
pub(crate) fn open(machine: &Machine) -> Result<Option<(Kept, Database<'static>)>, Failure> {
    let folder = machine.data_dir.join(FOLDER);
    let path = folder.join(DATABASE);
    if !path.exists() {
        return Ok(None);
    }
    let database = Database::read(Box::new(AtPath::open(&path)?)).map_err(|error| {
        let help = format!("kiln db update, or remove {} to use the database inside kiln", path.display());
        named(error, &path).with_help(help)
    })?;
    let provenance = fs::read(folder.join(PROVENANCE)).ok();
    let provenance = provenance.and_then(|bytes| serde_json::from_slice::<Provenance>(&bytes).ok());
    // The two files are not changed at once.
    let provenance = provenance.filter(|known| known.checksum == database.checksum().to_string());
    Ok(Some((Kept { path, provenance }, database)))
}

/// Held while the database is changed, so that of two updates each is whole.
pub struct Change {
    folder: PathBuf,
    _lock: Lock,
}

impl Change {
    /// Waits for those who change it.
    pub fn begin(machine: &Machine) -> Result<Self, Failure> {
        let folder = machine.data_dir.join(FOLDER);
        kiln_disk::own::folder(&folder).map_err(|error| failed("create", &folder, &error))?;
        let path = folder.join("lock");
        let lock = Lock::wait(&path, Holding::Alone).map_err(|error| failed("lock", &path, &error))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Puts `bytes` in place of what is used now. Nothing changes unless they are whole, and have what was known before; `force`
    /// lets them have less.
    pub fn install(
        &self,
        machine: &Machine,
        bytes: &[u8],
        provenance: impl FnOnce(String) -> Provenance,
        force: bool,
    ) -> Result<PathBuf, Failure> {
        let new = Database::open(bytes)?;
        new.verify()?;
        if !force && let Ok(old) = newest(machine) {
            refuse_shrunk(&old.database, &new)?;
        }
        let provenance = provenance(new.checksum().to_string());
        let path = self.folder.join(DATABASE);
        let store = machine.layout()?;
        store.replace_beside(&path, bytes)?;
        let text = serde_json::to_vec_pretty(&provenance).map_err(|error| failed("write", &path, &error))?;
        store.replace_beside(&self.folder.join(PROVENANCE), &text)?;
        Ok(path)
    }
}

fn refuse_shrunk(old: &Database<'_>, new: &Database<'_>) -> Result<(), Failure> {
    let shrunk = shrunk(old.slices(), new.slices());
    let Some(first) = shrunk.first() else { return Ok(()) };
    let what = match first.now {
        None => format!(
            "use the new database: it has no slice `{}`, the one in use has {} advisories there",
            first.slice, first.before
        ),
        Some(now) => format!(
            "use the new database: `{}` has {now} advisories, the one in use has {}",
            first.slice, first.before
        ),
    };
    let mut failure = Failure::new("db.shrunk", Class::Content, what).with_help(format!(
        "a feed that loses more than {MAX_SHRINK_PERCENT} % is taken for broken, and the database in use stays; pass --force if this is meant"
    ));
    let line = |more: &kiln_vuln::Shrunk| match more.now {
        None => format!("`{}` is gone, too", more.slice),
        Some(now) => format!("`{}` has {now} of {} advisories", more.slice, more.before),
    };
    failure.causes = shrunk.iter().skip(1).map(line).collect();
    Err(failure)
}
