use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Distro, Ecosystem, Inventory, Licence, Package, Purl, Unread};

/// What a document says, before its references are resolved.
#[derive(Default)]
pub(super) struct Gathered {
    /// Packages by the document's own ids.
    packages: BTreeMap<String, Package>,
    /// What depends on what, by those ids.
    edges: BTreeSet<(String, String)>,
    /// How many packages of which type could not be understood.
    unknown: BTreeMap<String, u64>,
    pub(super) distro: Option<Distro>,
    pub(super) unread: Vec<Unread>,
}

/// What a package is, before its purl is read.
pub(super) enum Named {
    /// A package of a known type.
    Package(Box<Package>),
    /// The image itself, or something else that is no package.
    NoPackage,
    /// A package of a type kiln does not know.
    Unknown(String),
}

/// What a purl names.
pub(super) fn named(purl: Option<&str>) -> Named {
    let Some(text) = purl else { return Named::Unknown("no package URL".to_owned()) };
    let Ok(purl) = text.parse::<Purl>() else {
        return Named::Unknown("a package URL that is none".to_owned());
    };
    if matches!(purl.kind.as_str(), "oci" | "docker") {
        return Named::NoPackage;
    }
    match Package::from_purl(&purl) {
        Some(package) => Named::Package(Box::new(package)),
        None => Named::Unknown(format!("the type {}", purl.kind)),
    }
}

/// Whether a purl is of Node.js, whose parts stand in a document as packages of their own.
pub(super) fn is_runtime(purl: Option<&str>) -> bool {
    matches!(named(purl), Named::Package(package) if package.ecosystem == Ecosystem::Node)
}

impl Gathered {
    /// Takes in a package that the document calls `name`. Some tools write purls of npm in small letters, and old packages have capitals:
    /// which of two spellings is meant nobody can tell, so both are there.
    pub(super) fn package(&mut self, id: &str, package: Package, name: &str) {
        let is_other = package.name != name && package.name.eq_ignore_ascii_case(name);
        if is_other && package.ecosystem == Ecosystem::Npm {
            let spelled = Package { name: name.to_owned(), ..package.clone() };
            self.insert(id, package);
            self.insert(id, spelled);
        } else {
            self.insert(id, package);
        }
    }

    /// Several packages may have one id by mistake: none is lost, and what is said of that id is said of the last.
    fn insert(&mut self, id: &str, package: Package) {
        if let Some(other) = self.packages.insert(id.to_owned(), package) {
            self.packages.insert(format!("{id}\0{}", self.packages.len()), other);
        }
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Package> {
        self.packages.get_mut(id)
    }

    pub(super) fn unknown(&mut self, what: String) {
        *self.unknown.entry(what).or_default() += 1;
    }

    pub(super) fn edge(&mut self, from: &str, to: &str) {
        self.edges.insert((from.to_owned(), to.to_owned()));
    }

    pub(super) fn finish(mut self) -> Inventory {
        let distro = self.distro.take().or_else(|| self.packages.values().find_map(distro_of));
        let tag = distro.as_ref().map(Distro::tag);
        for package in self.packages.values_mut() {
            if matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk) && package.distro.is_none() {
                package.distro.clone_from(&tag);
            }
            package.places.sort();
            package.places.dedup();
        }
        let keys: BTreeMap<&String, String> =
            self.packages.iter().map(|(id, package)| (id, package.key())).collect();
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in &self.edges {
            if let (Some(from), Some(to)) = (keys.get(from), keys.get(to))
                && from != to
            {
                edges.entry(from).or_default().insert(to);
            }
        }
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for (id, package) in &self.packages {
            let Some(key) = keys.get(id) else { continue };
            if let Some(known) = packages.get_mut(key) {
                known.places.extend(package.places.iter().cloned());
                known.places.sort();
                known.places.dedup();
            } else {
                let mut package = package.clone();
                let needs = edges.get(key.as_str()).into_iter().flatten();
                package.depends_on = needs.map(|key| (*key).to_owned()).collect();
                packages.insert(key.clone(), package);
            }
        }
        let mut packages: Vec<Package> = packages.into_values().collect();
        packages.sort_by(|a, b| order(a).cmp(&order(b)));
        self.complain(&packages);
        Inventory { distro, packages, unread: self.unread, ..Inventory::default() }
    }

    /// What was not understood, and that nothing was.
    fn complain(&mut self, packages: &[Package]) {
        let unread = |why: String| Unread { path: "document".to_owned(), reader: "sbom".to_owned(), why };
        let strange =
            self.unknown.iter().map(|(what, count)| unread(format!("{count} of its packages have {what}")));
        self.unread.extend(strange);
        if packages.is_empty() {
            self.unread.push(unread("it names no package".to_owned()));
        }
        self.unread.sort();
        self.unread.dedup();
    }
}

fn order(package: &Package) -> (Ecosystem, &str, &str, Option<&str>) {
    (package.ecosystem, &package.name, &package.version, package.arch.as_deref())
}

fn distro_of(package: &Package) -> Option<Distro> {
    let tag = package.distro.as_deref()?;
    let (id, version) = tag.rsplit_once('-').unwrap_or((tag, ""));
    Some(Distro { id: id.to_owned(), version: version.to_owned(), name: String::new() })
}

/// One licence out of several, all of which hold.
pub(super) fn licence(all: &[String]) -> Option<Licence> {
    match all {
        [] => None,
        [one] => Some(Licence::declared(one)),
        several => {
            let each: Option<Vec<String>> = several.iter().map(|one| Licence::declared(one).spdx).collect();
            let bracket = |one: &String| if one.contains(' ') { format!("({one})") } else { one.clone() };
            Some(match each {
                Some(each) => Licence::declared(&each.iter().map(bracket).collect::<Vec<_>>().join(" AND ")),
                None => Licence::declared(&several.join(", ")),
            })
        }
    }
}

/// A path without the leading slash that other tools write.
pub(super) fn path(text: &str) -> String {
    text.trim().trim_start_matches('/').to_owned()
}
