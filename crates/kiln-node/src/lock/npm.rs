//! `package-lock.json`: the `packages` map of versions 2 and 3, the nested `dependencies` of version 1.

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{ErrorKind, unknown_version};
use crate::lock::places::{LONGEST, Places, Seen};
use crate::lock::{Direct, Need, Platforms, direct, needs};
use crate::{Error, Lock, LockedPackage, PackageJson, WorkspaceGlobs, from_json};

/// The newest version of the format. Source: npm docs, package-lock.json, "lockfileVersion".
const NEWEST: u32 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
    #[serde(default)]
    dependencies: BTreeMap<String, Nested>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    link: bool,
    workspaces: Option<Value>,
    dev: bool,
    optional: bool,
    dev_optional: bool,
    in_bundle: bool,
    has_install_script: bool,
    bin: Value,
    os: Names,
    cpu: Names,
    libc: Names,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
    peer_dependencies: BTreeMap<String, String>,
    #[serde(skip)]
    elsewhere: Option<Elsewhere>,
    /// It stands in a file of version 1, which does not tell of scripts.
    #[serde(skip)]
    is_old: bool,
}

/// A list, or the single name that old packages have.
#[derive(Default)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Array(list) => list.iter().filter_map(text).collect(),
            one => text(&one).into_iter().collect(),
        }))
    }
}

/// A package of version 1; its folder is that of its parent and its name.
#[derive(Deserialize)]
struct Nested {
    #[serde(default)]
    version: String,
    resolved: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    bundled: bool,
    #[serde(default)]
    requires: Value,
    #[serde(default)]
    dependencies: BTreeMap<String, Nested>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let mut file: File =
        from_json(bytes).map_err(|source| ErrorKind::Json { path: path.to_owned(), source })?;
    if file.lockfile_version > NEWEST {
        return Err(unknown_version(path, &file.lockfile_version.to_string()));
    }
    let nested = file.packages.is_empty();
    let mut loose = Vec::new();
    if nested {
        flatten("", file.dependencies, &mut file.packages, &mut loose);
    }
    let mut lock = Lock { version: file.lockfile_version, loose, ..Lock::default() };
    let workspaces = workspaces(&file.packages)?;
    let found = Found::of(&file.packages, &workspaces, &mut lock);
    let specs = relate(&file.packages, &found, &mut lock);
    for (package, specs) in lock.packages.iter_mut().zip(specs) {
        specs.settle(package);
    }
    lock.places = found.at.iter().map(|(place, at)| ((*place).to_owned(), *at)).collect();
    if nested {
        lock.by_range = found.places.top().map(|(name, at)| (name.to_owned(), at)).collect();
    }
    for (place, package) in file.packages {
        if !package.link && !place.contains("node_modules/") && place.len() <= LONGEST {
            let asked = package.dependencies.into_iter();
            let asked = asked.chain(package.dev_dependencies).chain(package.optional_dependencies);
            lock.asked.insert(place, asked.collect());
        }
    }
    lock.relate(&BTreeMap::new());
    Ok(lock)
}

/// What lies where.
#[derive(Default)]
struct Found<'a> {
    places: Places<'a>,
    /// Which package each place is.
    at: BTreeMap<&'a str, usize>,
    /// Folders that are linked to and are no projects of the workspace, and which package each is.
    outside: BTreeMap<&'a str, usize>,
}

impl<'a> Found<'a> {
    fn of(packages: &'a BTreeMap<String, Package>, workspaces: &WorkspaceGlobs, lock: &mut Lock) -> Self {
        let mut found = Self::default();
        for (place, package) in packages {
            if place.len() > LONGEST {
                lock.unread.push(format!("{}…", place.chars().take(100).collect::<String>()));
                continue;
            }
            let Some((folder, name)) = place.rsplit_once("node_modules/") else {
                // Nothing but a link leads to a folder; npm writes `/` on every system.
                lock.unread.extend(place.contains('\\').then(|| place.clone()));
                continue;
            };
            let folder = folder.trim_end_matches('/');
            lock.pin(folder, name);
            let at = lock.packages.len();
            let locked = if !package.link {
                package.locked(name)
            } else if let Some(folder) = package.resolved.as_ref().filter(|path| !workspaces.holds(path)) {
                // No project of this workspace, which is not looked into.
                found.outside.insert(folder, at);
                let elsewhere = Some(Elsewhere::Address(format!("file:{folder}")));
                let target = packages.get(folder).unwrap_or(package);
                LockedPackage { elsewhere, has_integrity: true, ..target.locked(name) }
            } else {
                // Nothing tells where a link without a target leads.
                lock.unread.extend(package.resolved.is_none().then(|| place.clone()));
                continue;
            };
            if locked.version.is_empty() && locked.elsewhere.is_none() {
                lock.unread.push(place.clone());
            }
            lock.packages.push(locked);
            found.at.insert(place, at);
            found.places.put(folder, name, at);
        }
        found
    }
}

/// Adds what each package needs and each project asks for; what is asked for of each package.
fn relate(packages: &BTreeMap<String, Package>, found: &Found<'_>, lock: &mut Lock) -> Vec<Specs> {
    let mut specs: Vec<Specs> = lock.packages.iter().map(|_| Specs::default()).collect();
    for (place, at) in &found.at {
        specs[*at].is_fetched = packages.get(*place).is_some_and(|package| package.resolved.is_some());
    }
    let places = packages.keys().map(String::as_str).filter(|place| place.len() <= LONGEST);
    found.places.walk(places, |place, seen| {
        let Some(package) = packages.get(place) else { return };
        for (name, spec) in package.asked() {
            if let Some(specs) = seen.find(name).and_then(|at| specs.get_mut(at)) {
                specs.add(spec);
            }
        }
        let at = found.at.get(place).filter(|_| !package.link).or_else(|| found.outside.get(place));
        match at.and_then(|at| Some((*at, lock.packages.get_mut(*at)?))) {
            Some((at, locked)) => locked.needs = package.needs(at, seen),
            None if !package.link => drop(lock.direct.insert(place.to_owned(), package.direct(seen))),
            None => {}
        }
    });
    specs
}

/// The projects of the workspace, as npm writes them down with the top of it.
fn workspaces(packages: &BTreeMap<String, Package>) -> Result<WorkspaceGlobs, Error> {
    let workspaces = packages.get("").and_then(|root| root.workspaces.clone());
    WorkspaceGlobs::new(&PackageJson { workspaces, ..PackageJson::default() }.workspace_globs())
}

/// What others ask for when they ask for a package.
#[derive(Default)]
struct Specs {
    elsewhere: Option<Elsewhere>,
    /// The lock file says what was fetched.
    is_fetched: bool,
}

impl Specs {
    fn add(&mut self, spec: &str) {
        if let Some(from) = Elsewhere::of_npm(spec) {
            self.elsewhere = Some(from);
        }
    }

    /// Where the package is from: what was fetched says it, and who asked where that says nothing.
    fn settle(self, package: &mut LockedPackage) {
        if package.elsewhere.is_none() && !self.is_fetched {
            package.elsewhere = self.elsewhere;
        }
    }
}

/// Lays the packages of version 1 out by their folders; `loose` gets those that an install would have to ask the registry for.
fn flatten(
    folder: &str,
    nested: BTreeMap<String, Nested>,
    packages: &mut BTreeMap<String, Package>,
    loose: &mut Vec<String>,
) {
    for (name, one) in nested {
        let place = format!("{folder}node_modules/{name}");
        if !one.bundled && (one.integrity.is_none() || one.resolved.is_none()) {
            loose.push(name.clone());
        }
        flatten(&format!("{place}/"), one.dependencies, packages, loose);
        let alias = one.version.strip_prefix("npm:").and_then(|real| real.rsplit_once('@'));
        let requires = one.requires.as_object().into_iter().flatten();
        let requires =
            requires.map(|(name, range)| (name.clone(), range.as_str().unwrap_or_default().to_owned()));
        // In place of a version stands where it is from.
        let elsewhere = Elsewhere::of_npm(&one.version);
        let version = match (&elsewhere, alias) {
            (Some(_), _) => None,
            (None, Some((_, version))) => Some(version.to_owned()),
            (None, None) => Some(one.version.clone()),
        };
        let called = alias.map_or(name.as_str(), |(real, _)| real).to_owned();
        let package = Package {
            name: Some(called).filter(|called| *called != name),
            version,
            // Where its code is from is told by what stands in place of a version.
            resolved: one.resolved.filter(|_| elsewhere.is_none()),
            elsewhere,
            integrity: one.integrity,
            dev: one.dev,
            optional: one.optional,
            in_bundle: one.bundled,
            dependencies: requires.collect(),
            is_old: true,
            ..Package::default()
        };
        packages.insert(place, package);
    }
}

/// What `bin` says: files by name of the program. npm writes no other form into a lock file.
fn programs(bin: &Value) -> BTreeMap<String, String> {
    let entries = bin.as_object().into_iter().flatten();
    entries.filter_map(|(name, file)| Some((name.clone(), file.as_str()?.to_owned()))).collect()
}

impl Package {
    /// What it asks for, beside peers: names and ranges.
    fn asked(&self) -> impl Iterator<Item = (&String, &String)> {
        self.dependencies.iter().chain(&self.dev_dependencies).chain(&self.optional_dependencies)
    }

    /// What the package `at` needs.
    fn needs(&self, at: usize, seen: &Seen<'_>) -> Vec<Need> {
        let firm = self.dependencies.keys().chain(self.peer_dependencies.keys());
        needs(at, firm.map(String::as_str), self.optional_dependencies.keys().map(String::as_str), seen)
    }

    /// What the root, or a workspace folder, asks for.
    fn direct(&self, seen: &Seen<'_>) -> Vec<Direct> {
        direct(&self.dependencies, &self.dev_dependencies, &self.optional_dependencies, seen)
    }

    fn locked(&self, name: &str) -> LockedPackage {
        let from_elsewhere = self.resolved.as_deref().is_some_and(|resolved| resolved.starts_with("git"));
        let names = |names: &Names| names.0.clone();
        let mut locked = LockedPackage {
            elsewhere: self.elsewhere.clone(),
            // An alias lies in a folder of another name.
            name: self.name.clone().unwrap_or_else(|| name.to_owned()),
            version: self.version.clone().unwrap_or_default(),
            // A git commit is a hash of its content; a bundled package is covered by its parent's.
            has_integrity: self.integrity.is_some() || self.in_bundle || from_elsewhere,
            integrity: self.integrity.clone(),
            is_dev: Some(self.dev),
            is_optional: Some(self.optional || self.dev_optional),
            has_install_script: (!self.is_old).then_some(self.has_install_script),
            programs: programs(&self.bin),
            platforms: Platforms { os: names(&self.os), cpu: names(&self.cpu), libc: names(&self.libc) },
            needs: Vec::new(),
        };
        if let Some(address) = self.resolved.as_deref().filter(|address| !address.is_empty()) {
            locked.fetched_from(address);
        }
        locked
    }
}
