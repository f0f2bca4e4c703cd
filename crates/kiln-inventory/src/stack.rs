use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use kiln_oci::Digest;
use kiln_pkg::{Distro, Ecosystem, Elsewhere, Package, Unread};

use crate::Error;
use crate::catalogers::cataloger::Candidate;
use crate::catalogers::{self, answered_by};
use crate::error::ErrorKind;
use crate::facts::{FileFacts, LayerFacts, Reading};

/// The files of an image that a container sees, by path.
#[derive(Default)]
pub(crate) struct Stack<'a> {
    layers: Vec<&'a LayerFacts>,
    visible: BTreeMap<&'a str, Visible<'a>>,
    /// Every path that ever was visible, and every folder above one: what a layer replaces is among them.
    known: HashSet<&'a str>,
    /// Folders of packages of which a layer took away the manifest and left the rest.
    bared: BTreeSet<&'a str>,
}

/// A file, and where it comes from.
#[derive(Clone)]
pub(crate) struct Visible<'a> {
    pub(crate) file: &'a FileFacts,
    /// The layer that holds it, counted from the lowest.
    pub(crate) layer: usize,
    /// For each reading the layer that brought it first: a list of packages is written anew by each layer that adds one.
    /// Empty where that is `layer` for all.
    since: Vec<usize>,
}

/// Name, version, architecture and where it is from: one package of one file.
type Installed<'a> = (Ecosystem, &'a str, &'a str, Option<&'a str>, Option<&'a Elsewhere>);

impl<'a> Stack<'a> {
    pub(crate) fn of(layers: &'a [LayerFacts]) -> Result<Self, Error> {
        let mut stack = Self::default();
        for layer in layers {
            stack.add(layer)?;
        }
        Ok(stack)
    }

    fn add(&mut self, layer: &'a LayerFacts) -> Result<(), Error> {
        let gone = layer.removed.iter().chain(&layer.emptied);
        let gone: HashSet<&str> = gone.map(String::as_str).collect();
        self.bared.retain(|folder| !is_in(folder, &gone));
        for path in &layer.removed {
            let manifest = self.visible.remove_entry(path.as_str()).map(|(path, _)| path);
            let folder = manifest.and_then(|manifest| manifest.strip_suffix("/package.json"));
            let is_left = |folder: &&str| catalogers::is_package_folder(folder) && !is_in(folder, &gone);
            self.bared.extend(folder.filter(is_left));
            self.remove_below(path);
        }
        for path in &layer.emptied {
            self.remove_below(path);
        }
        let mut replaced = HashMap::new();
        if !self.visible.is_empty() {
            let read = layer.paths.for_each(|path, is_dir| self.replace(path, is_dir, &mut replaced));
            read.map_err(|source| ErrorKind::Facts { layer: layer.digest, source })?;
        }
        let at = self.layers.len();
        self.layers.push(layer);
        for file in &layer.files {
            let since = replaced.get(file.path.as_str()).map_or_else(Vec::new, |old| since(old, file, at));
            let read = self.same_as(file, &replaced).unwrap_or(file);
            self.visible.insert(&file.path, Visible { file: read, layer: at, since });
            self.know(&file.path);
        }
        Ok(())
    }

    /// What was read of the file of a lower layer that `file` is a hard link to, where whoever would have read this one read that.
    fn same_as(&self, file: &FileFacts, replaced: &HashMap<&'a str, Visible<'a>>) -> Option<&'a FileFacts> {
        let target = file.readings.iter().find_map(|reading| match reading {
            Reading::SameAs(target) => Some(target.as_str()),
            _ => None,
        })?;
        let reader = |path: &str| {
            let candidate = Candidate { path, size: u64::MAX, mode: 0 };
            catalogers::find(&candidate).map(|cataloger| cataloger.name)
        };
        let known = self.visible.get(target).or_else(|| replaced.get(target))?;
        (known.file.unread.is_none() && reader(target) == reader(&file.path)).then_some(known.file)
    }

    fn know(&mut self, path: &'a str) {
        let mut path = path;
        while self.known.insert(path) {
            let Some((above, _)) = path.rsplit_once('/') else { return };
            path = above;
        }
    }

    /// A directory leaves what is below it; anything else does not.
    fn replace(&mut self, path: &str, is_dir: bool, replaced: &mut HashMap<&'a str, Visible<'a>>) {
        if !path.is_empty() && !self.known.contains(path) {
            return;
        }
        replaced.extend(self.visible.remove_entry(path));
        if !is_dir {
            self.remove_below(path);
        }
    }

    fn remove_below(&mut self, path: &str) {
        if path.is_empty() {
            self.visible.clear();
            return;
        }
        let prefix = format!("{path}/");
        while let Some(below) = self.first_below(&prefix) {
            self.visible.remove(below);
        }
    }

    /// The first visible path that starts with `prefix`.
    pub(crate) fn first_below(&self, prefix: &str) -> Option<&'a str> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.visible
            .range::<str, _>(from)
            .next()
            .map(|(path, _)| *path)
            .filter(|path| path.starts_with(prefix))
    }

    /// The package that the file at `path` tells of.
    pub(crate) fn package(&self, path: &str) -> Option<&'a Package> {
        self.visible.get(path)?.file.readings.iter().find_map(Reading::package)
    }

    /// Whether a file of this path, of which anything is known, is seen.
    pub(crate) fn sees(&self, path: &str) -> bool {
        self.visible.contains_key(path)
    }

    /// Shows every file of every layer, also of what others replace, and not the folders.
    pub(crate) fn each_path(&self, mut each: impl FnMut(&str)) {
        for layer in &self.layers {
            // What cannot be read was refused when the layer was stacked on another.
            let _read = layer.paths.for_each(|path, is_dir| {
                if !is_dir {
                    each(path);
                }
            });
        }
    }

    /// Folders of packages that lost their manifest in a layer above, and have none since.
    pub(crate) fn bared(&self) -> impl Iterator<Item = &'a str> {
        self.bared.iter().copied().filter(|folder| !self.sees(&format!("{folder}/package.json")))
    }

    /// What could not be read of the files that are seen, with the layer.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (Unread, Digest)> {
        self.visible.values().filter_map(|visible| {
            let unread = visible.file.unread.clone()?;
            let is_answered =
                answered_by(&unread).is_some_and(|path| self.visible.contains_key(path.as_str()));
            (!is_answered).then_some((unread, self.layers.get(visible.layer)?.digest))
        })
    }

    /// Every reading with its path and the layer that brought it.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (&'a str, &'a Reading, Digest)> {
        self.visible.iter().flat_map(move |(path, visible)| {
            let readings = visible.file.readings.iter().enumerate();
            readings.filter_map(move |(at, reading)| {
                let layer = visible.since.get(at).copied().unwrap_or(visible.layer);
                Some((*path, reading, self.layers.get(layer)?.digest))
            })
        })
    }

    /// Every file of every layer, with its layer and whether a container sees it.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = (&FileFacts, Digest, bool)> {
        self.layers.iter().enumerate().flat_map(move |(at, layer)| {
            layer.files.iter().map(move |file| {
                let seen = self.visible.get(file.path.as_str()).is_some_and(|visible| visible.layer == at);
                (file, layer.digest, seen)
            })
        })
    }

    /// `etc/os-release` before `usr/lib/os-release`, as os-release(5) asks. Alpine's packages are of the release that they are taken
    /// from, whatever the image was called when it began; where that is more than one, the image is of the release that it says.
    pub(crate) fn distro(&self) -> Option<Distro> {
        let mut distro = self.readings().find_map(|(_, reading, _)| match reading {
            Reading::Distro(distro) => Some(distro.clone()),
            _ => None,
        })?;
        if let [release] = self.alpine_releases()[..]
            && distro.id == "alpine"
            && !is_of_alpine(&distro.version, release)
        {
            release.clone_into(&mut distro.version);
        }
        Some(distro)
    }

    /// Packages of Alpine do not tell of which release they are.
    pub(crate) fn mixed_releases(&self, distro: Option<&Distro>) -> Option<Unread> {
        let releases = self.alpine_releases();
        let is_mixed = releases.len() > 1 && distro.is_some_and(|distro| distro.id == "alpine");
        is_mixed.then(|| Unread {
            path: "etc/apk/repositories".to_owned(),
            reader: "apk-repositories".to_owned(),
            why: format!("packages are taken from {}, and none tells from which", releases.join(" and ")),
        })
    }

    /// The releases that Alpine's packages are taken from. Sorted.
    fn alpine_releases(&self) -> Vec<&'a str> {
        let release = |(_, reading, _): (&'a str, &'a Reading, Digest)| match reading {
            Reading::Release(release) => Some(release.as_str()),
            _ => None,
        };
        self.readings().filter_map(release).collect()
    }
}

fn is_of_alpine(version: &str, release: &str) -> bool {
    version.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
}

/// Whether a folder, or one above it, is among those.
fn is_in(folder: &str, among: &HashSet<&str>) -> bool {
    !among.is_empty()
        && std::iter::successors(Some(folder), |folder| folder.rsplit_once('/').map(|(above, _)| above))
            .any(|folder| among.contains(folder))
}

fn since(old: &Visible<'_>, new: &FileFacts, at: usize) -> Vec<usize> {
    let of_old = |index: usize| old.since.get(index).copied().unwrap_or(old.layer);
    let known: HashMap<Installed<'_>, usize> = old
        .file
        .readings
        .iter()
        .enumerate()
        .filter_map(|(index, reading)| Some((installed(reading.package()?), of_old(index))))
        .collect();
    if known.is_empty() {
        return Vec::new();
    }
    let layer = |reading: &Reading| {
        reading.package().and_then(|package| known.get(&installed(package)).copied()).unwrap_or(at)
    };
    new.readings.iter().map(layer).collect()
}

pub(crate) fn installed(package: &Package) -> Installed<'_> {
    // What only lacks a sign of the registry is the same as what has one.
    let elsewhere =
        package.elsewhere.as_ref().filter(|from| !matches!(from, Elsewhere::Own | Elsewhere::Unsaid));
    (package.ecosystem, &package.name, &package.version, package.arch.as_deref(), elsewhere)
}
