//! Whom certificates are traced back to: a file that somebody pins, or what a TUF repository published.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_disk::{DOCUMENT_MAX, Holding, Lock, disk_failure, read_given_text};
use kiln_fetch::{Downloader, Options};
use kiln_finding::{Cause, Class, Failure};
use kiln_images::Machine;
use kiln_images::clock::now;
use kiln_trust::{Mirror, PUBLISHED_MAX, Published, TrustRoot};

use super::place::path;
use super::settings::TrustSettings;

/// Days that published roots are used without a look whether there are newer ones.
const MAX_AGE: u64 = 30;
const DAY: i64 = 86_400;

/// Whom certificates are traced back to: `file`, else that of kiln.toml, else what was published.
pub fn root(machine: &Machine, settings: &TrustSettings, file: Option<&Path>) -> Result<TrustRoot, Failure> {
    let named = settings.root_file();
    if let Some(path) = file.or(named.as_deref()) {
        return pinned(path, settings);
    }
    let Some(kept) = kept(machine)? else {
        return Err(Failure::usage("verify a certificate: nothing says whom it is traced back to").with_help(
            "bring the roots of an instance with `kiln trust update --mirror URL --root root.json`, or name a \
             trusted_root.json with --trusted-root FILE",
        ));
    };
    let limit = settings.max_root_age.unwrap_or(MAX_AGE);
    let origin = format!("the roots of {}", kept.published.mirror());
    let origin = young_enough(&origin, kept.age_days(), limit, "kiln trust update")?;
    Ok(kept.published.trusted_root()?.from_origin(origin))
}

/// The same, where anything says whom.
pub fn root_if_known(
    machine: &Machine,
    settings: &TrustSettings,
    file: Option<&Path>,
) -> Result<Option<TrustRoot>, Failure> {
    if file.is_none() && settings.trusted_root.is_none() && kept(machine)?.is_none() {
        return Ok(None);
    }
    root(machine, settings, file).map(Some)
}

/// A file that somebody put there. It is as old as it says on the disk, which is limited only where kiln.toml does.
fn pinned(path: &Path, settings: &TrustSettings) -> Result<TrustRoot, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("kiln.trusted_root", Class::Usage, format!("read {}", path.display()))
            .with_cause(error.to_string())
    };
    let text = read_given_text(path, DOCUMENT_MAX).map_err(failed)?;
    let modified = path.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
    let age = modified.elapsed().unwrap_or_default().as_secs() / DAY.cast_unsigned();
    let limit = settings.max_root_age.unwrap_or(u64::MAX);
    let origin = young_enough(&path.display().to_string(), age, limit, "a newer file")?;
    Ok(TrustRoot::read(&text)?.from_origin(origin))
}

fn young_enough(origin: &str, age: u64, limit: u64, cure: &str) -> Result<String, Failure> {
    let days = if age == 1 { "1 day".to_owned() } else { format!("{age} days") };
    if age <= limit {
        return Ok(format!("{origin}, {days} old"));
    }
    let what = format!(
        "use {origin}: it was {days} ago that they were known to be the newest, and {limit} are allowed"
    );
    Err(Failure::new("trust.root_age", Class::Config, what)
        .with_help(format!("{cure} brings newer ones; [trust] max-root-age says how old they may be")))
}

/// Published roots on this machine.
pub struct Kept {
    /// Where they lie.
    pub path: PathBuf,
    /// The roots, with what proves them.
    pub published: Published,
}

impl Kept {
    /// Whole days since it was last looked for newer ones. A clock that is behind makes none of them young.
    pub fn age_days(&self) -> u64 {
        match now() - self.published.checked() {
            age if age < -DAY => u64::MAX,
            age => age.max(0).cast_unsigned() / DAY.cast_unsigned(),
        }
    }
}

/// What was published, if it was ever brought.
pub fn kept(machine: &Machine) -> Result<Option<Kept>, Failure> {
    let path = path(machine);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(PUBLISHED_MAX).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_failure("read", &path, &error)),
        Ok(_) => {
            let published = Published::read(&bytes).map_err(|error| {
                Failure::from(error).with_help(format!("delete {} and bring the roots again", path.display()))
            })?;
            Ok(Some(Kept { path, published }))
        }
    }
}

/// Held while roots are brought, so that of two updates each is whole.
pub struct Change<'a> {
    machine: &'a Machine,
    _lock: Lock,
}

impl<'a> Change<'a> {
    /// Waits for those who change them.
    pub fn begin(machine: &'a Machine) -> Result<Self, Failure> {
        let folder = &machine.data_dir;
        kiln_disk::own::folder(folder).map_err(|error| disk_failure("create", folder, &error))?;
        let path = folder.join("trust.lock");
        let lock = Lock::wait(&path, Holding::Alone).map_err(|error| disk_failure("lock", &path, &error))?;
        Ok(Self { machine, _lock: lock })
    }

    /// Asks the mirror what is published now, and keeps that.
    pub fn refresh(&self, from: &Published, ca_files: Vec<PathBuf>) -> Result<Kept, Failure> {
        let mirror: Arc<dyn Mirror> = match Path::new(from.mirror()) {
            folder if folder.is_dir() => Arc::new(Folder(folder.to_owned())),
            _ => Arc::new(Web::open(self.machine, from.mirror(), ca_files)?),
        };
        let published = from.refresh(mirror, now())?;
        // What cannot be used is not kept in place of what can.
        published.trusted_root()?;
        let path = path(self.machine);
        self.machine.layout()?.replace_beside(&path, &published.to_bytes())?;
        Ok(Kept { path, published })
    }
}

/// A mirror that is reached over the network.
struct Web {
    address: String,
    downloader: Downloader,
}

impl Web {
    fn open(machine: &Machine, address: &str, ca_files: Vec<PathBuf>) -> Result<Self, Failure> {
        let options = Options {
            offline: machine.offline,
            ca_files,
            ..Options::new(machine.cache_dir.join("downloads"))
        };
        Ok(Self { address: address.to_owned(), downloader: Downloader::new(options)? })
    }
}

impl Mirror for Web {
    fn document(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Cause> {
        self.downloader.found(&kiln_fetch::join(&self.address, path), max).map_err(Cause::new)
    }
}

/// A mirror on this machine: a copy that somebody carried there.
struct Folder(PathBuf);

impl Mirror for Folder {
    fn document(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Cause> {
        // What is asked for comes from metadata, and could climb.
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Ok(None);
        }
        let path = self.0.join(path);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes)) {
            Ok(_) if bytes.len() as u64 > max => {
                let why = std::io::Error::other(format!("it is larger than {max} bytes"));
                Err(Cause::new(kiln_finding::PortError::new(disk_failure("read", &path, &why))))
            }
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Cause::new(kiln_finding::PortError::new(disk_failure("read", &path, &error)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_hands_out_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = Folder(folder.path().join("mirror"));
        fs::create_dir_all(folder.path().join("mirror/targets")).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        fs::write(folder.path().join("mirror/targets/root.json"), "root").unwrap();
        assert_eq!(mirror.document("targets/root.json", 10).unwrap().as_deref(), Some(&b"root"[..]));
        assert_eq!(mirror.document("../secret", 10).unwrap(), None);
        assert_eq!(mirror.document("targets/../../secret", 10).unwrap(), None);
        let outside = folder.path().join("secret").display().to_string();
        assert_eq!(mirror.document(&outside, 10).unwrap(), None);
        assert!(mirror.document("targets/root.json", 3).is_err(), "it is larger than it may be");
    }
}
