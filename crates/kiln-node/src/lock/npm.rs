//! `package-lock.json`: the `packages` map of versions 2 and 3, the nested `dependencies` of version 1.

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{ErrorKind, unknown_version};
use crate::lock::archive::Archive;
use crate::lock::{Direct, Need, Platforms, nearest};
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
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let workspaces = workspaces(&file.packages)?;
    // Folders that are linked to and are no projects of the workspace, and which package each is.
    let mut outside: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, package) in &file.packages {
        let Some((folder, name)) = place.rsplit_once("node_modules/") else {
            // Nothing but a link leads to a folder; npm writes `/` on every system.
            lock.unread.extend(place.contains('\\').then(|| place.clone()));
            continue;
        };
        lock.pin(folder.trim_end_matches('/'), name);
        if !package.link {
            places.insert(place, lock.packages.len());
            lock.packages.push(package.locked(name));
        } else if let Some(folder) = package.resolved.as_ref().filter(|path| !workspaces.holds(path)) {
            // No project of this workspace, which is not looked into.
            let target = file.packages.get(folder).unwrap_or(package);
            let elsewhere = Some(Elsewhere::Address(format!("file:{folder}")));
            outside.insert(folder, lock.packages.len());
            places.insert(place, lock.packages.len());
            lock.packages.push(LockedPackage { elsewhere, has_integrity: true, ..target.locked(name) });
        }
    }
    for (place, at) in &places {
        let package = &lock.packages[*at];
        if package.version.is_empty() && package.elsewhere.is_none() {
            lock.unread.push((*place).to_owned());
        }
    }
    let mut specs: Vec<Specs> = lock.packages.iter().map(|_| Specs::default()).collect();
    for (place, at) in &places {
        specs[*at].is_fetched = file.packages.get(*place).is_some_and(|package| package.resolved.is_some());
    }
    for (place, package) in &file.packages {
        let maps = [&package.dependencies, &package.dev_dependencies, &package.optional_dependencies];
        for (name, spec) in maps.into_iter().flatten() {
            if let Some(specs) = resolve(&places, place, name).and_then(|at| specs.get_mut(at)) {
                specs.add(spec);
            }
        }
        let all = |names: &BTreeMap<String, String>| -> Vec<usize> {
            names.keys().filter_map(|name| resolve(&places, place, name)).collect()
        };
        let optional = all(&package.optional_dependencies);
        if let Some(at) =
            places.get(place.as_str()).filter(|_| !package.link).or_else(|| outside.get(place.as_str()))
        {
            let firm = all(&package.dependencies).into_iter().chain(all(&package.peer_dependencies));
            let firm =
                firm.filter(|to| !optional.contains(to)).map(|package| Need { package, optional: false });
            let mut needs: Vec<Need> = firm.collect();
            needs.extend(optional.iter().map(|package| Need { package: *package, optional: true }));
            needs.retain(|need| need.package != *at);
            lock.packages[*at].needs = needs;
        } else if !package.link {
            // The root, or a workspace folder.
            let direct = |list: Vec<usize>, dev, optional| {
                list.into_iter().map(move |package| Direct { package, dev, optional })
            };
            let mut found: Vec<Direct> = direct(all(&package.dependencies), false, false).collect();
            found.extend(direct(all(&package.dev_dependencies), true, false));
            found.extend(direct(optional, false, true));
            lock.direct.insert(place.clone(), found);
        }
    }
    for (package, specs) in lock.packages.iter_mut().zip(specs) {
        specs.settle(package);
    }
    lock.places = places.iter().map(|(place, at)| ((*place).to_owned(), *at)).collect();
    if nested {
        let top = |(place, at): (&&str, &usize)| Some((place.strip_prefix("node_modules/")?.to_owned(), *at));
        lock.by_range =
            places.iter().filter_map(top).filter(|(name, _)| !name.contains("node_modules/")).collect();
    }
    for (place, package) in file.packages {
        if !package.link && !place.contains("node_modules/") {
            let asked = package.dependencies.into_iter();
            let asked = asked.chain(package.dev_dependencies).chain(package.optional_dependencies);
            lock.asked.insert(place, asked.collect());
        }
    }
    lock.relate(&BTreeMap::new());
    Ok(lock)
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
    by_range: bool,
    /// The lock file says what was fetched.
    is_fetched: bool,
}

impl Specs {
    fn add(&mut self, spec: &str) {
        match Elsewhere::of_npm(spec) {
            None => self.by_range = true,
            from => self.elsewhere = from,
        }
    }

    /// Where the package is from: what was fetched says it, and who asked where that says nothing. A registry may keep its archives at
    /// addresses of its own; what is asked for by version is from one.
    fn settle(self, package: &mut LockedPackage) {
        let is_address = matches!(&package.elsewhere, Some(Elsewhere::Address(at)) if at.starts_with("http"));
        if is_address && self.by_range && self.elsewhere.is_none() {
            package.elsewhere = None;
        } else if package.elsewhere.is_none() && !self.is_fetched {
            package.elsewhere = self.elsewhere;
        }
    }
}

/// The package that `name` means in the folder `place`. Source: Node.js docs, "Loading from node_modules folders".
fn resolve(places: &BTreeMap<&str, usize>, place: &str, name: &str) -> Option<usize> {
    nearest(places, place, &format!("node_modules/{name}"), |folder| {
        // Workspace folders have parents beside `node_modules`, too.
        let folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        let above = folder.strip_suffix("/node_modules");
        above.unwrap_or(if folder == "node_modules" { "" } else { folder })
    })
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
        let (mut real, mut version) = (called, version);
        if let Some(archive) = one.resolved.as_deref().filter(|_| elsewhere.is_none()).and_then(Archive::of) {
            archive.tell(&mut real, version.get_or_insert_default());
        }
        let package = Package {
            name: Some(real).filter(|real| *real != name),
            version,
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
    fn locked(&self, name: &str) -> LockedPackage {
        let from_elsewhere = self.resolved.as_deref().is_some_and(|resolved| resolved.starts_with("git"));
        let names = |names: &Names| names.0.clone();
        // An alias lies in a folder of another name.
        let mut name = self.name.clone().unwrap_or_else(|| name.to_owned());
        let mut version = self.version.clone().unwrap_or_default();
        if let Some(archive) = self.resolved.as_deref().and_then(Archive::of) {
            archive.tell(&mut name, &mut version);
        }
        let fetched = self.resolved.as_deref().and_then(Elsewhere::of_npm);
        LockedPackage {
            elsewhere: self.elsewhere.clone().or(fetched),
            name,
            version,
            // A git commit is a hash of its content; a bundled package is covered by its parent's.
            has_integrity: self.integrity.is_some() || self.in_bundle || from_elsewhere,
            integrity: self.integrity.clone(),
            is_dev: Some(self.dev),
            is_optional: Some(self.optional || self.dev_optional),
            has_install_script: (!self.is_old).then_some(self.has_install_script),
            programs: programs(&self.bin),
            platforms: Platforms { os: names(&self.os), cpu: names(&self.cpu), libc: names(&self.libc) },
            needs: Vec::new(),
        }
    }
}
