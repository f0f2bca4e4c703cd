use std::collections::{BTreeSet, HashMap, HashSet};

use kiln_pkg::{Ecosystem, Package, Unread};

/// Links followed from one folder before giving up.
const MAX_LINKS: usize = 8;
/// Steps taken along the graph to find which direct dependencies bring which packages in; 1,500 packages need a few thousand.
const MAX_STEPS: usize = 50_000_000;

/// Which package lies in which folder, and where links in `node_modules` lead. Packages are given by their index.
#[derive(Default)]
pub(crate) struct Folders<'a> {
    packages: HashMap<&'a str, usize>,
    links: HashMap<&'a str, String>,
    found: Vec<InFolder<'a>>,
    /// Apps whose packages lie in no folder.
    apps: Vec<usize>,
}

struct InFolder<'a> {
    folder: &'a str,
    at: usize,
    requires: &'a [String],
    is_app: bool,
}

impl<'a> Folders<'a> {
    /// `manifest` is the path of its `package.json`.
    pub(crate) fn package(&mut self, manifest: &'a str, at: usize, requires: &'a [String], is_app: bool) {
        let folder = manifest.strip_suffix("/package.json").unwrap_or_default();
        self.packages.insert(folder, at);
        self.found.push(InFolder { folder, at, requires, is_app });
    }

    /// An app that asks for its packages by name and version.
    pub(crate) fn app(&mut self, at: usize) {
        self.apps.push(at);
    }

    /// Keeps a link, and says where it leads.
    pub(crate) fn link(&mut self, path: &'a str, target: &str) -> Option<String> {
        let target = follow(path, target)?;
        self.links.insert(path, target.clone());
        Some(target)
    }

    /// The folders in which apps were found.
    pub(crate) fn of_apps(&self) -> HashSet<&str> {
        self.found.iter().filter(|one| one.is_app).map(|one| one.folder).collect()
    }

    /// The package that `require(name)` finds from `folder`. Source: Node.js docs, "Loading from node_modules folders".
    pub(crate) fn resolve(&self, folder: &str, name: &str, candidate: &mut String) -> Option<usize> {
        let mut folder = folder;
        loop {
            if folder != "node_modules" && !folder.ends_with("/node_modules") {
                candidate.clear();
                candidate.push_str(folder);
                candidate.push_str(if folder.is_empty() { "node_modules/" } else { "/node_modules/" });
                candidate.push_str(name);
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

    /// Whether a link, or several, leads to a package.
    pub(crate) fn leads(&self, link: &str) -> bool {
        self.at(link).is_some()
    }

    /// Where links that begin at `path` end.
    pub(crate) fn end(&self, path: String) -> String {
        let mut path = path;
        for _ in 0..MAX_LINKS {
            let Some(next) = self.links.get(path.as_str()) else { break };
            path.clone_from(next);
        }
        path
    }

    fn at(&self, folder: &str) -> Option<usize> {
        let mut folder = folder;
        for _ in 0..MAX_LINKS {
            if let Some(found) = self.packages.get(folder) {
                return Some(*found);
            }
            folder = self.links.get(folder)?;
        }
        None
    }

    /// What every package finds of what it requires.
    fn edges(&self, count: usize) -> Vec<BTreeSet<usize>> {
        let mut edges = vec![BTreeSet::new(); count];
        let mut candidate = String::new();
        for one in &self.found {
            let found: Vec<usize> = one
                .requires
                .iter()
                .filter_map(|name| self.resolve(one.folder, name, &mut candidate))
                .filter(|to| *to != one.at)
                .collect();
            if let Some(edges) = edges.get_mut(one.at) {
                edges.extend(found);
            }
        }
        edges
    }

    /// What an app asks for itself, and what is installed for the whole machine.
    fn direct(&self, edges: &[BTreeSet<usize>]) -> BTreeSet<usize> {
        let apps =
            self.found.iter().filter(|one| one.is_app).map(|one| one.at).chain(self.apps.iter().copied());
        let apps = apps.filter_map(|at| edges.get(at)).flatten();
        let apps: BTreeSet<usize> = apps.copied().collect();
        let global = self.found.iter().filter(|one| is_global(one.folder)).map(|one| one.at);
        apps.into_iter().chain(global).collect()
    }
}

/// `lib/node_modules/name`, where `npm install --global` puts packages.
pub(crate) fn is_global(folder: &str) -> bool {
    let global = folder
        .strip_prefix("lib/node_modules/")
        .or_else(|| folder.split_once("/lib/node_modules/").map(|(_, name)| name));
    global.is_some_and(|name| name.split('/').count() == if name.starts_with('@') { 2 } else { 1 })
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

/// Fills `depends_on` and `direct` of all packages; says so where the graph is too large to be followed.
pub(crate) fn resolve(packages: &mut [Package], folders: &Folders<'_>) -> Option<Unread> {
    let mut edges = folders.edges(packages.len());
    let names = names(packages);
    for (at, (package, edges)) in packages.iter().zip(&mut edges).enumerate() {
        let of = |alternatives: &str| {
            alternatives.split('|').find_map(|name| names.get(&(package.ecosystem, name)).copied())
        };
        if by_name(package) {
            edges.extend(package.requires.iter().filter_map(|names| of(names)).filter(|to| *to != at));
        }
    }
    let direct = folders.direct(&edges);
    fill(packages, &edges, &direct)
}

/// Whether a name means one package of the whole image, wherever it is asked from; for npm where a table gives names with versions.
fn by_name(package: &Package) -> bool {
    let always =
        matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk | Ecosystem::PyPi | Ecosystem::Cargo);
    always || !package.provides.is_empty()
}

/// Own names before those that a package provides beside.
fn names(packages: &[Package]) -> HashMap<(Ecosystem, &str), usize> {
    let mut names = HashMap::new();
    let known = || packages.iter().enumerate().filter(|(_, package)| by_name(package));
    for (at, package) in known() {
        names.entry((package.ecosystem, package.name.as_str())).or_insert(at);
    }
    for (at, package) in known() {
        for name in &package.provides {
            names.entry((package.ecosystem, name.as_str())).or_insert(at);
        }
    }
    names
}

/// Writes the edges into the packages, and which of `direct` lead to which package.
pub(crate) fn fill(
    packages: &mut [Package],
    edges: &[BTreeSet<usize>],
    direct: &BTreeSet<usize>,
) -> Option<Unread> {
    let keys: Vec<String> = packages.iter().map(Package::key).collect();
    for (package, edges) in packages.iter_mut().zip(edges) {
        package.depends_on = edges.iter().filter_map(|to| keys.get(*to).cloned()).collect();
        package.depends_on.sort();
    }
    let mut seen = vec![usize::MAX; packages.len()];
    let mut steps = 0;
    for from in direct {
        let Some(label) = packages.get(*from).map(label) else { continue };
        let mut open = vec![*from];
        while let Some(at) = open.pop() {
            if seen.get(at).is_none_or(|seen| seen == from) {
                continue;
            }
            seen[at] = *from;
            packages[at].direct.push(label.clone());
            let next = edges.get(at).into_iter().flatten();
            open.extend(next.inspect(|_| steps += 1));
            if steps > MAX_STEPS {
                for package in packages.iter_mut() {
                    package.direct.clear();
                }
                let why = format!("finding what brings each package in takes more than {MAX_STEPS} steps");
                return Some(Unread { path: "node_modules".to_owned(), reader: "graph".to_owned(), why });
            }
        }
    }
    for package in packages.iter_mut() {
        package.direct.sort();
    }
    None
}

fn label(package: &Package) -> String {
    if package.version.is_empty() {
        package.name.clone()
    } else {
        format!("{}@{}", package.name, package.version)
    }
}
