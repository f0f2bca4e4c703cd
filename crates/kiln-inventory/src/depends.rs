use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Ecosystem, Package};

/// Links followed from one folder before giving up.
const MAX_LINKS: usize = 8;

/// Which package lies in which folder, and where links in `node_modules` lead.
#[derive(Default)]
pub(crate) struct Folders {
    packages: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
    requires: Vec<(String, Vec<String>)>,
}

impl Folders {
    pub(crate) fn package(&mut self, folder: &str, package: &Package) {
        self.packages.insert(folder.to_owned(), package.key());
        self.requires.push((folder.to_owned(), package.requires.clone()));
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) {
        if let Some(target) = follow(path, target) {
            self.links.insert(path.to_owned(), target);
        }
    }

    /// The package that `require(name)` finds from `folder`. Source: Node.js docs, "Loading from node_modules folders".
    fn resolve(&self, folder: &str, name: &str) -> Option<&String> {
        let mut folder = folder;
        loop {
            if folder != "node_modules" && !folder.ends_with("/node_modules") {
                let slash = if folder.is_empty() { "" } else { "/" };
                let candidate = format!("{folder}{slash}node_modules/{name}");
                if let Some(found) = self.at(candidate) {
                    return Some(found);
                }
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    fn at(&self, mut folder: String) -> Option<&String> {
        for _ in 0..MAX_LINKS {
            if let Some(found) = self.packages.get(&folder) {
                return Some(found);
            }
            folder.clone_from(self.links.get(&folder)?);
        }
        None
    }
}

/// Where a link at `path` leads, without leaving the root; links to absolute paths start at the root.
pub(crate) fn follow(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { path.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Fills `depends_on` of all packages.
pub(crate) fn resolve(packages: &mut [Package], folders: &Folders) {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, requires) in &folders.requires {
        let Some(from) = folders.packages.get(folder) else { continue };
        let found = requires.iter().filter_map(|name| folders.resolve(folder, name)).cloned();
        edges.entry(from.clone()).or_default().extend(found);
    }
    let debs: BTreeMap<String, String> = packages
        .iter()
        .filter(|package| package.ecosystem == Ecosystem::Deb)
        .map(|package| (package.name.clone(), package.key()))
        .collect();
    for package in packages.iter_mut() {
        let key = package.key();
        let mut found: BTreeSet<String> = match package.ecosystem {
            Ecosystem::Npm => edges.remove(&key).unwrap_or_default(),
            Ecosystem::Deb => package
                .requires
                .iter()
                .filter_map(|names| names.split('|').find_map(|name| debs.get(name)))
                .cloned()
                .collect(),
            Ecosystem::Apk | Ecosystem::Node => BTreeSet::new(),
        };
        found.remove(&key);
        package.depends_on = found.into_iter().collect();
    }
}
