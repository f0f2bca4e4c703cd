//! `pnpm-lock.yaml`, versions 5 to 9.

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;
use serde::Deserialize;

use crate::error::{ErrorKind, unknown_version};
use crate::lock::{Direct, Need, Platforms};
use crate::{Error, Lock, LockedPackage};

mod linked;

/// Versions of the format. Source: pnpm, `packages/constants`.
const KNOWN: std::ops::RangeInclusive<u32> = 5..=9;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    /// A number up to 5.4, a text since 6.0.
    lockfile_version: Version,
    #[serde(default)]
    overrides: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    importers: BTreeMap<String, Importer>,
    /// A single project of versions 5 and 6 stands at the top.
    #[serde(flatten)]
    only: Importer,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
    /// Version 9: what each package, with its peers, depends on.
    #[serde(default)]
    snapshots: BTreeMap<String, Edges>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Number(f64),
    Text(String),
}

impl Version {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn major(&self) -> u32 {
        self.text().split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Edges {
    dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
    optional: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    /// Ranges, up to version 5.
    specifiers: BTreeMap<String, String>,
    dependencies: BTreeMap<String, Dependency>,
    dev_dependencies: BTreeMap<String, Dependency>,
    optional_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    /// Version 5.
    Locked(String),
    /// Since version 6: `1.2.3(peer@4)`, the key of another package, or `link:../shared`.
    Full {
        specifier: String,
        #[serde(default)]
        version: String,
    },
}

impl Dependency {
    fn locked(&self) -> &str {
        match self {
            Self::Locked(version) | Self::Full { version, .. } => version,
        }
    }

    fn specifier(&self) -> Option<&String> {
        match self {
            Self::Locked(_) => None,
            Self::Full { specifier, .. } => Some(specifier),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(default)]
    resolution: Resolution,
    /// Given where the key does not tell: tarballs, git.
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    dev: Option<bool>,
    #[serde(default)]
    optional: Option<bool>,
    #[serde(default)]
    requires_build: Option<bool>,
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    cpu: Vec<String>,
    #[serde(default)]
    libc: Vec<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Resolution {
    integrity: Option<String>,
    commit: Option<String>,
    repo: Option<String>,
    tarball: Option<String>,
    directory: Option<String>,
}

impl Resolution {
    /// Where a package of this key is from, where that is no registry.
    fn elsewhere(&self, key: &str) -> Option<Elsewhere> {
        if let (Some(repo), Some(commit)) = (&self.repo, &self.commit) {
            let scheme = if repo.starts_with("git") || repo.starts_with("ssh:") { "" } else { "git+" };
            return Elsewhere::of_npm(&format!("{scheme}{repo}#{commit}"));
        }
        if let Some(folder) = &self.directory {
            return Some(Elsewhere::Address(format!("file:{folder}")));
        }
        let named = split_key(key).filter(|(name, _)| !name.starts_with("file:"));
        let version = named.map_or(key, |(_, version)| version);
        // `host/name/1.2.3` is a registry of another name.
        let last = version.rsplit('/').next().unwrap_or_default();
        if is_version(version) || self.tarball.is_none() && is_version(last) {
            return None;
        }
        let tarball = self.tarball.as_deref().and_then(Elsewhere::of_npm);
        tarball.or_else(|| Some(Elsewhere::of_npm(version).unwrap_or(Elsewhere::Address(version.to_owned()))))
    }
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let unfit = |why: String| ErrorKind::Unfit {
        path: path.to_owned(),
        why,
        help: "run `pnpm install` with pnpm 8 or newer",
    };
    let text = std::str::from_utf8(bytes).map_err(|_| unfit("is no UTF-8".to_owned()))?;
    // pnpm 11 puts a document about itself before the one about the project.
    let document = text.rsplit_once("\n---\n").map_or(text, |(_, last)| last);
    let mut file: File = serde_saphyr::from_str(document)
        .map_err(|source| ErrorKind::Yaml { path: path.to_owned(), source })?;
    if !KNOWN.contains(&file.lockfile_version.major()) {
        return Err(unknown_version(path, &file.lockfile_version.text()));
    }
    let mut lock = Lock { version: file.lockfile_version.major(), ..Lock::default() };
    if file.importers.is_empty() && !file.only.is_empty() {
        file.importers.insert(".".to_owned(), std::mem::take(&mut file.only));
    }
    lock.overrides = std::mem::take(&mut file.overrides).into_keys().collect();
    let mut keys = packages(&file, &mut lock);
    linked::packages(&mut file, &mut keys, &mut lock);
    edges(&file, &keys, &mut lock.packages);
    for (folder, importer) in file.importers {
        let folder = if folder == "." { String::new() } else { folder };
        importer.pinned(&keys).for_each(|name| lock.pin(&folder, name));
        lock.direct.insert(folder.clone(), importer.direct(&keys));
        lock.asked.insert(folder, importer.asked());
    }
    lock.relate(&BTreeMap::new());
    Ok(lock)
}

/// Reads the packages; the indices by key, without peers.
fn packages(file: &File, lock: &mut Lock) -> BTreeMap<String, usize> {
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    for (key, package) in &file.packages {
        let bare = bare(key);
        if keys.contains_key(bare) {
            continue;
        }
        let Some((name, version)) = package.called(bare) else {
            lock.unread.push(key.clone());
            continue;
        };
        let elsewhere = package.resolution.elsewhere(bare);
        // An address is no version.
        let version = if elsewhere.is_some() && package.version.is_none() { "" } else { version };
        keys.insert(bare.to_owned(), lock.packages.len());
        let mut locked = LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            elsewhere,
            has_integrity: package.resolution.integrity.is_some() || package.resolution.commit.is_some(),
            integrity: package.resolution.integrity.clone(),
            is_dev: package.dev,
            is_optional: package.optional,
            has_install_script: package.requires_build,
            platforms: Platforms {
                os: package.os.clone(),
                cpu: package.cpu.clone(),
                libc: package.libc.clone(),
            },
            programs: BTreeMap::new(),
            needs: Vec::new(),
        };
        if let Some(tarball) = package.resolution.tarball.as_deref().filter(|_| locked.elsewhere.is_none()) {
            locked.fetched_from(&in_registry(tarball));
        }
        lock.packages.push(locked);
    }
    for (key, snapshot) in &file.snapshots {
        if let Some(package) = keys.get(bare(key)).and_then(|at| lock.packages.get_mut(*at)) {
            package.is_optional = Some(package.is_optional.unwrap_or(true) && snapshot.optional);
        }
    }
    keys
}

impl Package {
    /// Its name and version: what its key says is what pnpm fetches, and what stands beside it must not differ; where the key
    /// has an address in place of a version, what stands beside it.
    fn called<'a>(&'a self, key: &'a str) -> Option<(&'a str, &'a str)> {
        let (own_name, own_version) = (self.name.as_deref(), self.version.as_deref());
        let Some((name, version)) = split_key(key) else {
            // `host/name/1.2.3` of old versions.
            let is_in_key = |(name, version): &(&str, &str)| {
                !is_version(key.rsplit('/').next().unwrap_or_default())
                    || key.ends_with(&format!("/{name}/{version}"))
            };
            return own_name.zip(own_version).filter(is_in_key);
        };
        if !is_version(version) {
            return Some((own_name.unwrap_or(name), own_version.unwrap_or(version)));
        }
        let is_same = own_name.is_none_or(|own| own == name) && own_version.is_none_or(|own| own == version);
        is_same.then_some((name, version))
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.')
}

/// The address of a tarball, which may be given from the registry's top; which registry that is makes no difference here.
fn in_registry(tarball: &str) -> String {
    let is_relative = !tarball.contains(':');
    if is_relative {
        format!("https://registry.invalid/{}", tarball.strip_prefix('/').unwrap_or(tarball))
    } else {
        tarball.to_owned()
    }
}

fn edges(file: &File, keys: &BTreeMap<String, usize>, packages: &mut [LockedPackage]) {
    let old = file.packages.iter().map(|(key, one)| (key, &one.dependencies, &one.optional_dependencies));
    let new = file.snapshots.iter().map(|(key, one)| (key, &one.dependencies, &one.optional_dependencies));
    for (key, firm, optional) in old.chain(new) {
        let Some(from) = keys.get(bare(key)).copied() else { continue };
        let found = |map: &BTreeMap<String, String>, optional: bool| -> Vec<Need> {
            let found = map.iter().filter_map(|(name, version)| find(keys, name, version));
            found.filter(|to| *to != from).map(|package| Need { package, optional }).collect()
        };
        let needs = found(firm, false).into_iter().chain(found(optional, true));
        if let Some(package) = packages.get_mut(from) {
            package.needs.extend(needs);
            package.needs.sort();
            package.needs.dedup();
        }
    }
}

impl Importer {
    fn is_empty(&self) -> bool {
        self.dependencies.is_empty()
            && self.dev_dependencies.is_empty()
            && self.optional_dependencies.is_empty()
    }

    fn direct(&self, keys: &BTreeMap<String, usize>) -> Vec<Direct> {
        let of = |map: &BTreeMap<String, Dependency>, dev, optional| -> Vec<Direct> {
            let found = map.iter().filter_map(|(name, dependency)| find(keys, name, dependency.locked()));
            found.map(|package| Direct { package, dev, optional }).collect()
        };
        let mut found = of(&self.dependencies, false, false);
        found.extend(of(&self.dev_dependencies, true, false));
        found.extend(of(&self.optional_dependencies, false, true));
        found
    }

    /// The names that lead to a package, or to a folder that they are linked to.
    fn pinned<'a>(&'a self, keys: &'a BTreeMap<String, usize>) -> impl Iterator<Item = &'a String> {
        let all = self.dependencies.iter().chain(&self.dev_dependencies).chain(&self.optional_dependencies);
        let leads = |name: &str, to: &str| to.starts_with("link:") || find(keys, name, to).is_some();
        all.filter(move |(name, dependency)| leads(name, dependency.locked())).map(|(name, _)| name)
    }

    fn asked(self) -> BTreeMap<String, String> {
        let all =
            self.dependencies.into_iter().chain(self.dev_dependencies).chain(self.optional_dependencies);
        let all = all.filter_map(|(name, dependency)| {
            let range = dependency.specifier().or_else(|| self.specifiers.get(&name)).cloned()?;
            Some((name, range))
        });
        all.collect()
    }
}

/// The package that `name` at `version` means. An alias gives the key of the real package as its version.
fn find(keys: &BTreeMap<String, usize>, name: &str, version: &str) -> Option<usize> {
    let version = bare(version);
    let candidates = [
        version.to_owned(),
        format!("{name}@{version}"),
        format!("/{name}@{version}"),
        format!("/{name}/{version}"),
    ];
    candidates.iter().find_map(|key| keys.get(key)).copied()
}

/// Without the peers it was installed with: `name@1.2.3(peer@4)` since version 6, `/name/1.2.3_peer@4` before. A version has no
/// underscore; a name may have.
fn bare(key: &str) -> &str {
    let key = key.split_once('(').map_or(key, |(key, _)| key);
    let parts = match key.strip_prefix('/') {
        Some(scoped) if scoped.starts_with('@') => 3,
        Some(_) => 2,
        None if key.starts_with(|c: char| c.is_ascii_digit()) => 0,
        None => return key,
    };
    let version = match parts {
        0 => 0,
        parts => key.match_indices('/').nth(parts - 1).map_or(key.len(), |(at, _)| at),
    };
    key.get(version..).and_then(|rest| rest.find('_')).and_then(|end| key.get(..version + end)).unwrap_or(key)
}

/// `/name/1.2.3` of version 5, `/name@1.2.3` of version 6, `name@1.2.3` of version 9.
fn split_key(key: &str) -> Option<(&str, &str)> {
    let plain = key.strip_prefix('/').unwrap_or(key);
    let at = plain.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    let slash = key.starts_with('/').then(|| plain.rfind('/')).flatten();
    let at = match (at, slash) {
        (Some(at), _) => at,
        (None, Some(slash)) => slash,
        (None, None) => return None,
    };
    let (name, version) = (&plain[..at], &plain[at + 1..]);
    (!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()))
        .then_some((name, version))
        .or_else(|| {
            // A tarball or a commit: its address is its version.
            (!name.is_empty() && !version.is_empty() && !key.starts_with('/')).then_some((name, version))
        })
}
