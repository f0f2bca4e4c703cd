//! The local signing key, made on first use.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kiln_disk::{Holding, Lock, PLAIN, PRIVATE, read_given_text};
use kiln_finding::{Class, Failure};
use kiln_images::Machine;
use kiln_sign::{HeldKey, KeyPair};
use kiln_trust::PublicKey;

/// The largest file with a key, in bytes.
const KEY_MAX: u64 = 1 << 20;

/// Where a key pair lies: `<stem>.key` and `<stem>.pub`.
pub struct Keys {
    stem: PathBuf,
}

impl Keys {
    /// kiln's own key pair.
    pub fn local(machine: &Machine) -> Self {
        Self { stem: machine.data_dir.join("keys/kiln") }
    }

    /// The key pair of this name.
    pub fn at(stem: &Path) -> Self {
        Self { stem: stem.to_owned() }
    }

    /// Where the private key lies.
    pub fn private_path(&self) -> PathBuf {
        self.stem.with_extension("key")
    }

    /// Where the public key lies.
    pub fn public_path(&self) -> PathBuf {
        self.stem.with_extension("pub")
    }

    /// Reads the private key; where there is none, makes one. Says whether it was made.
    pub fn open_or_make(&self) -> Result<(KeyPair, bool), Failure> {
        let _lock = if self.public_path().exists() { None } else { Some(self.lock()?) };
        if !self.private_path().exists() {
            return Ok((self.make()?, true));
        }
        let path = self.private_path();
        let text = read_given_text(&path, KEY_MAX).map_err(|error| failed("read", &path, &error))?;
        if !self.public_path().exists() {
            // It was not written, or was lost; the private key holds it.
            let pair = KeyPair::read(&text, &password())?;
            write_new(&self.public_path(), &pair.public()?.to_pem(), PLAIN)?;
            return Ok((pair, false));
        }
        let sleeping = Sleeping { text, public: self.public()?, awake: OnceLock::new() };
        Ok((KeyPair::held(Box::new(sleeping))?, false))
    }

    /// The key pair of a private key file, or of a URI that names a key elsewhere; kiln's own where none is named, made on
    /// first use.
    pub fn signing(machine: &Machine, file: Option<&Path>) -> Result<KeyPair, Failure> {
        let Some(path) = file else { return Ok(Self::local(machine).open_or_make()?.0) };
        if let Some(key) = held(path) {
            return Ok(KeyPair::held(key?)?);
        }
        let text = read_given_text(path, KEY_MAX).map_err(|error| failed("read", path, &error))?;
        Ok(KeyPair::read(&text, &password())?)
    }

    /// Held while keys are made, so that of two that find none only one makes them.
    fn lock(&self) -> Result<Lock, Failure> {
        let path = self.stem.with_extension("lock");
        self.make_folder()?;
        Lock::wait(&path, Holding::Alone).map_err(|error| failed("lock", &path, &error))
    }

    /// Makes a key pair. Files that are there are never replaced.
    pub fn make(&self) -> Result<KeyPair, Failure> {
        let pair = KeyPair::generate()?;
        self.make_folder()?;
        write_new(&self.private_path(), &pair.to_file(&password())?, PRIVATE)?;
        write_new(&self.public_path(), &pair.public()?.to_pem(), PLAIN)?;
        Ok(pair)
    }

    fn make_folder(&self) -> Result<(), Failure> {
        let Some(folder) = self.stem.parent() else { return Ok(()) };
        kiln_disk::own::folder(folder).map_err(|error| failed("create", folder, &error))
    }

    /// Reads the public key.
    pub fn public(&self) -> Result<PublicKey, Failure> {
        read_public(&self.public_path())
    }
}

/// A private key that is decrypted when it first signs, which takes a tenth of a second by design: who signs nothing never waits for
/// it. A signature that is not by the public key beside it is refused ([`KeyPair::held`]).
struct Sleeping {
    /// The file.
    text: String,
    public: PublicKey,
    awake: OnceLock<KeyPair>,
}

impl HeldKey for Sleeping {
    fn public(&self) -> Result<PublicKey, kiln_sign::Error> {
        Ok(self.public.clone())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, kiln_sign::Error> {
        if let Some(pair) = self.awake.get() {
            return pair.sign_bytes(message);
        }
        let pair = KeyPair::read(&self.text, &password())?;
        self.awake.get_or_init(|| pair).sign_bytes(message)
    }
}

/// The key that a URI names; `None` for the path of a file.
fn held(path: &Path) -> Option<Result<Box<dyn HeldKey>, kiln_sign::Error>> {
    kiln_sign::held(path.to_str()?)
}

/// Reads a public key file, or asks whoever holds the key of a URI.
pub fn read_public(path: &Path) -> Result<PublicKey, Failure> {
    if let Some(key) = held(path) {
        return Ok(key?.public()?);
    }
    let text = read_given_text(path, KEY_MAX).map_err(|error| failed("read", path, &error))?;
    Ok(PublicKey::read(&text)?)
}

/// The path of a key that a file in `folder` names; a URI stays as it is.
pub(crate) fn key_below(folder: &Path, key: &Path) -> PathBuf {
    if held(key).is_some() { key.to_owned() } else { folder.join(key) }
}

/// Writes a file that must not be there yet; it appears whole or not at all.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    // Only where files cannot be without a name is there one in the making to be left.
    if let Some(folder) = path.parent() {
        kiln_disk::sweep(folder);
    }
    kiln_disk::create(path, text.as_bytes(), mode).map_err(|error| failed("write", path, &error))
}

/// The password of private keys: `KILN_PASSWORD`, else `COSIGN_PASSWORD`, else none.
fn password() -> String {
    let variable = |name| std::env::var(name).ok();
    variable("KILN_PASSWORD").or_else(|| variable("COSIGN_PASSWORD")).unwrap_or_default()
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::new("kiln.key", Class::Environment, format!("{doing} {}", path.display()))
        .with_cause(error.to_string());
    match error.kind() {
        std::io::ErrorKind::NotFound => failure.with_help("make a key pair with `kiln keygen`"),
        std::io::ErrorKind::AlreadyExists => failure.with_help("move the old key pair away first"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_that_find_no_key_one_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("keys/kiln");
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Keys::at(&stem).open_or_make().unwrap().1)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
    }

    #[test]
    fn a_key_that_is_there_is_read_when_it_signs_and_only_as_the_public_key_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::at(&folder.path().join("kiln"));
        let made = keys.make().unwrap();
        let (pair, is_new) = keys.open_or_make().unwrap();
        assert!(!is_new);
        let signature = pair.sign_bytes(b"text").unwrap();
        assert!(made.public().unwrap().has_signed(b"text", &signature));
        let other = Keys::at(&folder.path().join("other"));
        other.make().unwrap();
        std::fs::copy(other.private_path(), keys.private_path()).unwrap();
        let (swapped, _) = keys.open_or_make().unwrap();
        assert!(swapped.sign_bytes(b"text").is_err());
    }
}
