use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use kiln_oci::Digest;
use kiln_pkg::{Distro, Ecosystem, Interest, Inventory, Package, Place, Secret, Unread};

use crate::Error;
use crate::depends;
use crate::error::ErrorKind;
use crate::facts::{FileFacts, LayerFacts, Reading};

/// Stacks the facts of an image's layers, lowest first, into what the finished image holds.
pub fn combine(layers: &[LayerFacts]) -> Result<Inventory, Error> {
    let mut stack = Stack::default();
    for layer in layers {
        stack.add(layer)?;
    }
    let mut inventory =
        Inventory { layers: layers.iter().map(|layer| layer.diff_id).collect(), ..Inventory::default() };
    inventory.distro = stack.distro();
    inventory.packages = stack.packages(inventory.distro.as_ref());
    inventory.interests = stack.interests();
    inventory.secrets = stack.secrets(layers);
    inventory.unread = layers.iter().flat_map(|layer| layer.unread.clone()).chain(stack.unread()).collect();
    if let Some(unread) = suspicious_emptiness(&inventory) {
        inventory.unread.push(unread);
    }
    inventory.unread.sort();
    inventory.unread.dedup();
    Ok(inventory)
}

/// A distribution without a single package was not read, whatever else went well.
fn suspicious_emptiness(inventory: &Inventory) -> Option<Unread> {
    let distro = inventory.distro.as_ref()?;
    let none = inventory.of(Ecosystem::Deb).chain(inventory.of(Ecosystem::Apk)).next().is_none();
    none.then(|| Unread {
        path: "etc/os-release".to_owned(),
        reader: "packages".to_owned(),
        why: format!("the image says it is {}, but no list of its packages was found", distro.tag()),
    })
}

/// The visible files, by path, with the layer each comes from.
#[derive(Default)]
pub(crate) struct Stack<'a> {
    visible: BTreeMap<&'a str, (&'a FileFacts, Digest)>,
}

impl<'a> Stack<'a> {
    fn add(&mut self, layer: &'a LayerFacts) -> Result<(), Error> {
        for path in &layer.removed {
            self.visible.remove(path.as_str());
            self.remove_below(path);
        }
        for path in &layer.emptied {
            self.remove_below(path);
        }
        if !self.visible.is_empty() {
            let replaced = layer.paths.for_each(|path, is_dir| self.replace(path, is_dir));
            replaced.map_err(|source| ErrorKind::Facts { layer: layer.diff_id, source })?;
        }
        for file in &layer.files {
            self.visible.insert(&file.path, (file, layer.diff_id));
        }
        Ok(())
    }

    /// A directory leaves what is below it; anything else does not.
    fn replace(&mut self, path: &str, is_dir: bool) {
        self.visible.remove(path);
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

    fn first_below(&self, prefix: &str) -> Option<&'a str> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.visible
            .range::<str, _>(from)
            .next()
            .map(|(path, _)| *path)
            .filter(|path| path.starts_with(prefix))
    }

    fn readings(&self) -> impl Iterator<Item = (&'a str, &'a Reading, Digest)> {
        self.visible.iter().flat_map(|(path, (file, layer))| {
            file.readings.iter().map(move |reading| (*path, reading, *layer))
        })
    }

    /// `etc/os-release` before `usr/lib/os-release`, as os-release(5) asks.
    fn distro(&self) -> Option<Distro> {
        self.readings().find_map(|(_, reading, _)| match reading {
            Reading::Distro(distro) => Some(distro.clone()),
            _ => None,
        })
    }

    fn packages(&self, distro: Option<&Distro>) -> Vec<Package> {
        let dev: BTreeSet<&str> = self.readings().flat_map(|(_, reading, _)| dev_only(reading)).collect();
        let mut found: BTreeMap<(Ecosystem, String, String, Option<String>), Package> = BTreeMap::new();
        let mut folders = depends::Folders::default();
        let linked = self.linked();
        for (path, reading, layer) in self.readings() {
            let package = match reading {
                Reading::Package(package) => package,
                Reading::Manifest(package) if self.is_app(path, &linked) => package,
                Reading::Link(target) => {
                    folders.link(path, target);
                    continue;
                }
                _ => continue,
            };
            let mut package = (**package).clone();
            package.places = vec![Place { path: path.to_owned(), layer: Some(layer) }];
            match package.ecosystem {
                Ecosystem::Deb | Ecosystem::Apk => package.distro = distro.map(Distro::tag),
                Ecosystem::Npm => {
                    let folder = path.strip_suffix("/package.json").unwrap_or_default();
                    package.dev = dev.contains(folder);
                    folders.package(folder, &package);
                }
                Ecosystem::Node => package.owner = self.owner_of_node(path),
            }
            let key =
                (package.ecosystem, package.name.clone(), package.version.clone(), package.arch.clone());
            match found.get_mut(&key) {
                None => {
                    found.insert(key, package);
                }
                Some(known) => {
                    known.dev &= package.dev;
                    known.places.extend(package.places);
                    known.requires.extend(package.requires);
                    known.requires.sort();
                    known.requires.dedup();
                }
            }
        }
        let mut packages: Vec<Package> = found.into_values().collect();
        depends::resolve(&mut packages, &folders);
        packages
    }

    /// Whether packages are installed beside the manifest at `path`, or `node_modules` links to its folder.
    fn is_app(&self, path: &str, linked: &BTreeSet<String>) -> bool {
        let folder = path.strip_suffix("package.json").unwrap_or_default();
        let beside = self.first_below(&format!("{folder}node_modules/")).is_some();
        beside || linked.contains(folder.trim_end_matches('/'))
    }

    /// Where the links in `node_modules` lead.
    fn linked(&self) -> BTreeSet<String> {
        let target = |(path, reading, _): (&str, &Reading, Digest)| match reading {
            Reading::Link(target) => depends::follow(path, target),
            _ => None,
        };
        self.readings().filter_map(target).collect()
    }

    /// The distribution's package that put Node.js at `path`; NodeSource's packages are the Node.js project's own builds.
    fn owner_of_node(&self, path: &str) -> Option<String> {
        if !matches!(path, "usr/bin/node" | "usr/bin/nodejs" | "bin/node") {
            return None;
        }
        self.readings().find_map(|(_, reading, _)| match reading {
            Reading::Package(package) if matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk) => {
                let is_node = package.name == "nodejs"
                    || package.name.starts_with("nodejs-") && package.ecosystem == Ecosystem::Apk;
                (is_node && !package.version.contains("nodesource")).then(|| package.name.clone())
            }
            _ => None,
        })
    }

    fn interests(&self) -> Vec<Interest> {
        let of = |(path, (file, layer)): (&&str, &(&FileFacts, Digest))| {
            let place = Place { path: (*path).to_owned(), layer: Some(*layer) };
            file.interests
                .iter()
                .map(move |kind| Interest { kind: *kind, place: place.clone() })
                .collect::<Vec<_>>()
        };
        let mut found: Vec<Interest> = self.visible.iter().flat_map(of).collect();
        found.sort();
        found
    }

    /// Of every layer: what a later layer deletes is still in the image.
    fn secrets(&self, layers: &[LayerFacts]) -> Vec<Secret> {
        let mut found = Vec::new();
        for layer in layers {
            for file in &layer.files {
                let seen =
                    self.visible.get(file.path.as_str()).is_some_and(|(_, from)| *from == layer.diff_id);
                found.extend(file.secrets.iter().cloned().map(|mut secret| {
                    secret.place.layer = Some(layer.diff_id);
                    secret.deleted = !seen;
                    secret
                }));
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn unread(&self) -> impl Iterator<Item = Unread> {
        self.visible.values().filter_map(|(file, _)| file.unread.clone())
    }
}

fn dev_only(reading: &Reading) -> impl Iterator<Item = &str> {
    let folders = match reading {
        Reading::DevOnly(folders) => folders.as_slice(),
        _ => &[],
    };
    folders.iter().map(String::as_str)
}
