mod answers;
mod outside;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use kiln_finding::Diagnose as _;
use kiln_node::{Lock, LockFormat, LockedPackage, PackageJson};
use kiln_oci::Digest;
use kiln_pkg::{Checksum, Ecosystem, Elsewhere, Inventory, Package, Place, Unread, Unseen};
use kiln_rootfs::{Content, Entry, EntryKind, Kind, LayerEntry, RootPath, Tree};

use crate::catalogers::is_table;
use crate::combine::combine_folder;
use crate::scan::Scan;
use crate::stack::installed;
use crate::{Error, depends};

/// The largest lock file that is read, in bytes.
const LOCK_MAX: u64 = 64 << 20;
/// The largest `package.json` beside one.
const MANIFEST_MAX: u64 = 4 << 20;
/// Lock files of one folder; a repository with more is told so.
const LOCKS_MAX: usize = 1_000;
/// bun's format of before, which is no text.
const BUN_BINARY: &str = "bun.lockb";

/// The machine that packages of a lock file would be installed on, in the names of Node.js.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// `linux`
    pub os: &'a str,
    /// `x64` or `arm64`
    pub cpu: &'a str,
    /// `glibc` or `musl`
    pub libc: &'a str,
}

/// What a folder holds: what is installed in it as in an image, and, where nothing is installed, what its lock files would
/// install on `machine`.
pub fn scan_folder(tree: &Tree, machine: Machine<'_>) -> Result<Inventory, Error> {
    let mut scan = Scan::new(Digest::of(b"folder"));
    for (path, entry) in tree.iter() {
        scan_entry(&mut scan, path, entry);
    }
    let facts = scan.finish();
    let manifests: BTreeMap<&str, &Package> =
        facts.files.iter().flat_map(|file| &file.readings).filter_map(manifest).collect();
    let mut inventory = combine_folder(&facts)?;
    let mut locks = Locks { tree, machine, manifests, found: Vec::new() };
    locks.read(&mut inventory);
    let found = std::mem::take(&mut locks.found);
    join(&mut inventory.packages, found);
    inventory.unread.extend(unrecognised(tree, &inventory));
    inventory.unread.extend(outside::projects(tree, &facts));
    inventory.unseen.retain(|app| app.is_uncovered() || app.is_bundled());
    inventory.layers.clear();
    let places = inventory.packages.iter_mut().flat_map(|package| &mut package.places);
    let places = places.chain(inventory.indicators.iter_mut().map(|indicator| &mut indicator.place));
    for place in places.chain(inventory.secrets.iter_mut().map(|secret| &mut secret.place)) {
        place.layer = None;
    }
    inventory.unread.sort();
    Ok(inventory)
}

/// Of a folder in which nothing was recognised, nothing is known; an app that asks for nothing has a manifest.
fn unrecognised(tree: &Tree, inventory: &Inventory) -> Option<Unread> {
    let is_told = |(path, _): (&RootPath, &Entry)| {
        path.file_name() == "package.json" || LockFormat::of(path.file_name()).is_some()
    };
    let nothing = inventory.packages.is_empty() && inventory.unread.is_empty();
    (nothing && !tree.iter().any(is_told)).then(|| Unread {
        path: "/".to_owned(),
        reader: "packages".to_owned(),
        why: "no manifest, no lock file and no installed package is in it".to_owned(),
    })
}

fn scan_entry(scan: &mut Scan, path: &RootPath, entry: &Entry) {
    let (kind, size) = match &entry.kind {
        Kind::Dir => (EntryKind::Dir, 0),
        Kind::File(content) => (EntryKind::File, content.size()),
        Kind::Symlink(target) => (EntryKind::Symlink(target.clone()), 0),
        Kind::Hardlink(target) => (EntryKind::Hardlink(target.clone()), 0),
    };
    let attrs = &entry.attrs;
    let seen = LayerEntry {
        path: path.clone(),
        kind,
        mode: attrs.mode,
        uid: attrs.uid,
        gid: attrs.gid,
        size,
        xattrs: BTreeMap::new(),
    };
    let opened = match &entry.kind {
        Kind::File(content) => content.open().map(Some),
        _ => Ok(None),
    };
    match opened {
        Ok(Some(mut content)) => scan.entry(&seen, &mut content),
        Ok(None) => scan.entry(&seen, &mut std::io::empty()),
        Err(error) => scan.unread(path.as_str(), "folder", error.to_string()),
    }
}

/// The manifest of a folder that is no installed package, by its folder.
fn manifest(reading: &crate::Reading) -> Option<(&str, &Package)> {
    let crate::Reading::Manifest(package) = reading else { return None };
    let path = package.places.first()?.path.as_str();
    Some((path.strip_suffix("package.json")?.trim_end_matches('/'), package))
}

/// Manifests by folder, relative to the lock file's.
type Projects = BTreeMap<String, PackageJson>;

struct Locks<'a> {
    tree: &'a Tree,
    machine: Machine<'a>,
    manifests: BTreeMap<&'a str, &'a Package>,
    found: Vec<Package>,
}

impl Locks<'_> {
    /// Reads every lock file that speaks for its folder; the others are noted.
    fn read(&mut self, inventory: &mut Inventory) {
        let files = self.tree.iter().filter(|(_, entry)| matches!(entry.kind, Kind::File(_)));
        let mut folders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (path, _) in files {
            let is_lock = LockFormat::of(path.file_name()).is_some() || path.file_name() == BUN_BINARY;
            if is_lock && !path.parts().any(|part| part == "node_modules") {
                let folder = path.parent().map(|parent| parent.as_str().to_owned()).unwrap_or_default();
                folders.entry(folder).or_default().push(path.file_name());
            }
        }
        let with_lock: BTreeSet<String> = folders.keys().cloned().collect();
        for (at, (folder, mut names)) in folders.into_iter().enumerate() {
            if at == LOCKS_MAX {
                let why = format!("there are more than {LOCKS_MAX} lock files; the rest was left out");
                inventory.unread.push(Unread { path: folder, reader: "lock-file".to_owned(), why });
                return;
            }
            names.sort_by_key(|name| rank(name));
            let path =
                |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if let Some(installed) = installed_by(inventory, &folder) {
                // What is installed to build with is there, too.
                inventory
                    .unseen
                    .iter_mut()
                    .filter(|app| is_below(&app.path, &folder))
                    .for_each(Unseen::forget_bundles);
                let note =
                    |name: &&str| format!("{} was not read: {installed} says what is installed", path(name));
                inventory.notes.extend(names.iter().map(note));
                continue;
            }
            let Some((first, others)) = names.split_first() else { continue };
            inventory.notes.extend(
                others
                    .iter()
                    .map(|other| format!("{} was not read: {} is beside it", path(other), path(first))),
            );
            let unread = |why| Unread { path: path(first), reader: "lock-file".to_owned(), why };
            match self.read_one(&folder, &path(first), first) {
                Ok((lock, projects)) => {
                    self.answer(&mut inventory.unseen, &folder, &with_lock, &lock, &projects);
                    let entries = lock.unread.iter();
                    inventory
                        .unread
                        .extend(entries.map(|entry| unread(format!("`{entry}` is no package at a version"))));
                }
                Err(why) => inventory.unread.push(unread(why)),
            }
        }
    }

    /// Reads a lock file, with the manifests of the projects it is for.
    fn read_one(&mut self, folder: &str, path: &str, name: &str) -> Result<(Lock, Projects), String> {
        let Some(format) = LockFormat::of(name) else {
            return Err(
                "it is bun's format that is no text; write bun.lock with `bun install --save-text-lockfile`"
                    .to_owned(),
            );
        };
        let bytes = self.bytes(path, LOCK_MAX)?;
        let mut lock = Lock::read_any(format, path, &bytes).map_err(|error| reason(&error))?;
        let projects = self.projects(folder, &lock)?;
        if lock.packages.is_empty() && lock.asked.is_empty() && projects.is_empty() {
            return Err("it names no package and no project".to_owned());
        }
        let beside = projects.iter().filter(|(project, _)| !project.is_empty());
        beside.filter_map(|(_, manifest)| manifest.name.as_ref()).for_each(|name| lock.pin("", name));
        lock.relate(&projects);
        let Graph { packages, edges, direct, index } = packages(&lock, path, self.machine);
        let mut all = packages;
        let mut edges = edges;
        for project in projects.keys() {
            let at = if project.is_empty() { folder.to_owned() } else { join_path(folder, project) };
            if let Some(manifest) = self.manifests.get(self.followed(&at).as_str()) {
                let wanted = lock.direct.get(project).into_iter().flatten();
                edges.push(wanted.filter_map(|direct| kept_at(&index, direct.package)).collect());
                all.push(Package { elsewhere: Some(Elsewhere::Own), ..(*manifest).clone() });
            }
        }
        depends::fill(&mut all, &edges, &direct);
        self.found.extend(all);
        Ok((lock, projects))
    }

    /// The manifests of the projects a lock file is for, by folder below the lock file's.
    fn projects(&self, folder: &str, lock: &Lock) -> Result<Projects, String> {
        let mut projects = BTreeMap::new();
        let mut folders: BTreeSet<&str> = lock.direct.keys().map(String::as_str).chain([""]).collect();
        let globs = self.workspaces(folder)?;
        // yarn 1 does not tell of them, and one may have come after the lock file.
        folders.extend(self.manifests.keys().filter_map(|at| below(at, folder)).filter(|at| globs.holds(at)));
        let linked = globs.linked(self.tree, folder);
        folders.extend(linked.iter().filter_map(|project| below(project.link.as_str(), folder)));
        for project in folders {
            let at = if project.is_empty() { folder.to_owned() } else { join_path(folder, project) };
            let at = self.followed(&at);
            let path = join_path(&at, "package.json");
            let is_there = RootPath::normalise(&path).is_ok_and(|path| self.tree.get(&path).is_some());
            if is_there {
                let bytes = self.bytes(&path, MANIFEST_MAX)?;
                let read = PackageJson::read(&path, &bytes).map_err(|error| reason(&error))?;
                projects.insert(project.to_owned(), read);
            }
        }
        Ok(projects)
    }

    /// Where a folder really is: a project may be a link.
    fn followed(&self, folder: &str) -> String {
        let real = RootPath::normalise(folder).ok().and_then(|path| self.tree.resolve_within(&path));
        real.map_or_else(|| folder.to_owned(), |path| path.as_str().to_owned())
    }

    fn bytes(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let normal = RootPath::normalise(path).map_err(|error| error.to_string())?;
        let Some(Kind::File(content)) = self.tree.get(&normal).map(|entry| &entry.kind) else {
            return Err(format!("{path} is no regular file"));
        };
        read(content, limit).map_err(|error| error.to_string())
    }
}

fn read(content: &Content, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.open()?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The message and its cause in one line.
fn reason(error: &kiln_node::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let help = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{error}{cause}{help}")
}

/// The path of `at` relative to `folder`, where it lies below.
fn below<'a>(at: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(at) } else { at.strip_prefix(folder)?.strip_prefix('/') }
}

/// Whether an app lies in `folder` or below it.
fn is_below(app: &str, folder: &str) -> bool {
    folder.is_empty() || app.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn join_path(folder: &str, name: &str) -> String {
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    // A project of a workspace may lie beside the lock file's folder.
    RootPath::normalise(&path).map_or(path, |path| path.as_str().to_owned())
}

/// Of several lock files in a folder the first speaks.
fn rank(name: &str) -> usize {
    let order = ["npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"];
    order.iter().position(|one| *one == name).unwrap_or(order.len())
}

/// What says what is installed in `folder`: its `node_modules`, or yarn's table of packages.
fn installed_by(inventory: &Inventory, folder: &str) -> Option<String> {
    let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let modules = format!("{below}node_modules");
    inventory.packages.iter().flat_map(|package| &package.places).find_map(|place| {
        let rest = place.path.strip_prefix(&below)?;
        if rest.starts_with("node_modules/") {
            return Some(modules.clone());
        }
        (is_table(rest) && !rest.contains('/')).then(|| place.path.clone())
    })
}

struct Graph {
    packages: Vec<Package>,
    /// What each needs.
    edges: Vec<BTreeSet<usize>>,
    direct: BTreeSet<usize>,
    /// For each package of the lock file which of `packages` it is; [`LEFT_OUT`] for none.
    index: Vec<usize>,
}

const LEFT_OUT: usize = usize::MAX;

/// What the lock file at `path` installs on `machine`: the packages, what each needs, which are direct.
fn packages(lock: &Lock, path: &str, machine: Machine<'_>) -> Graph {
    let out = lock.left_out(machine.os, machine.cpu, machine.libc);
    let is_kept = |at: usize| {
        let locked = &lock.packages[at];
        let is_named = !locked.version.is_empty() || locked.elsewhere.is_some();
        !out.get(at).copied().unwrap_or_default() && is_named
    };
    // The same release may be pinned in several folders.
    let mut known: HashMap<(&str, &str, Option<&Elsewhere>), usize> = HashMap::new();
    let mut packages: Vec<Package> = Vec::new();
    let mut index = vec![LEFT_OUT; lock.packages.len()];
    for (at, locked) in lock.packages.iter().enumerate().filter(|(at, _)| is_kept(*at)) {
        let key = (locked.name.as_str(), locked.version.as_str(), locked.elsewhere.as_ref());
        let to = *known.entry(key).or_insert(packages.len());
        index[at] = to;
        if let Some(package) = packages.get_mut(to) {
            package.dev &= locked.is_dev.unwrap_or_default();
            package.optional &= locked.is_optional.unwrap_or_default();
            continue;
        }
        packages.push(locked_package(locked, path));
    }
    let mut edges = vec![BTreeSet::new(); packages.len()];
    for (at, locked) in lock.packages.iter().enumerate() {
        let Some(edges) = index.get(at).and_then(|at| edges.get_mut(*at)) else { continue };
        edges.extend(locked.needs.iter().filter_map(|need| kept_at(&index, need.package)));
    }
    let direct = lock.direct.values().flatten();
    let direct = direct.filter_map(|direct| kept_at(&index, direct.package)).collect();
    Graph { packages, edges, direct, index }
}

/// A package that the lock file at `path` pins.
pub fn locked_package(locked: &LockedPackage, path: &str) -> Package {
    let mut package = Package::new(Ecosystem::Npm, &locked.name, &locked.version);
    package.dev = locked.is_dev.unwrap_or_default();
    package.optional = locked.is_optional.unwrap_or_default();
    package.elsewhere.clone_from(&locked.elsewhere);
    package.checksums = locked.integrity.as_deref().map(Checksum::integrity).unwrap_or_default();
    package.places = vec![Place { path: path.to_owned(), layer: None }];
    package
}

fn kept_at(index: &[usize], at: usize) -> Option<usize> {
    index.get(at).copied().filter(|at| *at != LEFT_OUT)
}

/// Adds packages of lock files to those that are installed; the same release becomes one.
fn join(packages: &mut Vec<Package>, found: Vec<Package>) {
    packages.extend(found);
    packages.sort_by(|a, b| installed(a).cmp(&installed(b)));
    packages.dedup_by(|next, kept| {
        let same = installed(next) == installed(kept);
        if same {
            kept.dev &= next.dev;
            kept.elsewhere = kept.elsewhere.take().filter(|_| next.elsewhere.is_some());
            kept.optional &= next.optional;
            for (to, from) in
                [(&mut kept.depends_on, &mut next.depends_on), (&mut kept.direct, &mut next.direct)]
            {
                to.append(from);
                to.sort();
                to.dedup();
            }
            kept.places.append(&mut next.places);
            kept.places.sort();
            kept.places.dedup();
        }
        same
    });
}
