use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use kiln_oci::Digest;
use kiln_pkg::{
    Checksum, Distro, Ecosystem, Elsewhere, Indicator, Inventory, Layer, Licence, Package, Packager, Place,
    Secret, Unread, Unseen,
};

use crate::Error;
use crate::absent::Absent;
use crate::catalogers::{documented, is_table};
use crate::depends::{self, Folders};
use crate::facts::{LayerFacts, Reading};
use crate::groups;
use crate::nameless::is_modules;
use crate::owners::Owners;
use crate::stack::{Stack, installed};
use crate::unseen::{self, matters};
use crate::whole::Whole;
use crate::workspaces::Workspaces;

/// Stacks the facts of an image's layers, lowest first, into what the finished image holds.
pub fn combine(layers: &[LayerFacts]) -> Result<Inventory, Error> {
    let stack = Stack::of(layers)?;
    let in_layer = |(mut unread, layer): (Unread, Digest)| {
        unread.why = format!("{} (in the layer {layer})", unread.why);
        unread
    };
    let mut inventory = inventory(layers, &stack, Whole::Image, stack.unread().map(in_layer).collect());
    inventory.unread.extend(unrecognised(&inventory, layers.iter().map(|layer| layer.entries).sum()));
    Ok(inventory)
}

/// Of an image in which nothing was recognised, nothing is known.
fn unrecognised(inventory: &Inventory, entries: u64) -> Option<Unread> {
    let nothing = inventory.distro.is_none() && inventory.packages.is_empty() && inventory.unread.is_empty();
    let why = match entries {
        _ if inventory.layers.is_empty() => "it has no layers".to_owned(),
        0 => "its layers hold no files".to_owned(),
        entries => format!("none of its {entries} files and folders says which package it belongs to"),
    };
    nothing.then(|| Unread { path: "/".to_owned(), reader: "packages".to_owned(), why })
}

/// The same of a folder, which is one layer without a name.
pub(crate) fn combine_folder(facts: &LayerFacts) -> Result<Inventory, Error> {
    let layers = std::slice::from_ref(facts);
    let stack = Stack::of(layers)?;
    Ok(inventory(layers, &stack, Whole::Folder, stack.unread().map(|(unread, _)| unread).collect()))
}

fn inventory(layers: &[LayerFacts], stack: &Stack<'_>, whole: Whole, unread: Vec<Unread>) -> Inventory {
    let mut inventory = Inventory {
        layers: layers.iter().map(|layer| Layer::new(layer.digest)).collect(),
        distro: stack.distro(),
        ..Inventory::default()
    };
    inventory.unread = stack.mixed_releases(inventory.distro.as_ref()).into_iter().collect();
    inventory.unread.extend(layers.iter().flat_map(|layer| layer.unread.clone()).chain(unread));
    let absent = if whole == Whole::Image { Absent::of(stack) } else { Absent::default() };
    inventory.notes.extend(absent.notes());
    inventory.notes.extend(unseen::for_tests(stack));
    (inventory.packages, inventory.unseen) =
        packages(stack, whole, &absent, inventory.distro.as_ref(), &mut inventory.unread);
    inventory.indicators = indicators(stack);
    inventory.secrets = secrets(stack);
    inventory.unread.extend(suspicious_emptiness(&inventory));
    inventory.unread.sort();
    inventory.unread.dedup();
    inventory
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

/// A package as one file tells of it.
struct Found<'a> {
    path: &'a str,
    package: Cow<'a, Package>,
    layer: Digest,
    /// A manifest beside which packages are installed.
    is_app: bool,
}

impl Found<'_> {
    fn place(&self) -> Place {
        Place { path: self.path.to_owned(), layer: Some(self.layer) }
    }

    /// The package, found here first.
    fn start(&self, dev: bool, owners: &Owners<'_>, distro: Option<&String>) -> Package {
        let mut package = Package::clone(&self.package);
        package.places = vec![self.place()];
        package.dev = dev;
        package.group = groups::tool_of(self.path).map(str::to_owned);
        package.owner = owners.owner(self.path, &package);
        if matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk) {
            package.distro = distro.cloned();
        }
        if owners.is_of_others(&package) {
            package.packager = Packager::Other;
        }
        package
    }

    /// The package, found here again.
    fn join(&self, known: &mut Package, dev: bool) {
        let group = groups::tool_of(self.path);
        known.dev &= dev;
        // Of what is from the registry in one place, the registry's advisories speak.
        known.elsewhere = known.elsewhere.take().filter(|_| self.package.elsewhere.is_some());
        known.places.push(self.place());
        known.group = known.group.take().filter(|known| group == Some(known.as_str()));
        if known.requires != self.package.requires {
            known.requires.extend(self.package.requires.iter().cloned());
        }
    }
}

/// The packages, and what may be there beside them.
fn packages(
    stack: &Stack<'_>,
    whole: Whole,
    absent: &Absent<'_>,
    distro: Option<&Distro>,
    unread: &mut Vec<Unread>,
) -> (Vec<Package>, Vec<Unseen>) {
    let mut folders = Folders::default();
    let mut found = find(stack, absent, &mut folders);
    // Stable, so that of the same package the first path comes first.
    found.sort_by(|a, b| installed(&a.package).cmp(&installed(&b.package)));
    let dev: HashSet<&str> = stack.readings().flat_map(|(_, reading, _)| dev_only(reading)).collect();
    let integrity: HashMap<&str, &str> =
        stack.readings().flat_map(|(_, reading, _)| checked(reading)).collect();
    let owners = Owners::of(stack);
    let tag = distro.map(Distro::tag);
    let mut packages: Vec<Package> = Vec::new();
    for one in &found {
        let folder = one.path.strip_suffix("/package.json").unwrap_or_default();
        let is_dev = one.package.dev || one.package.ecosystem == Ecosystem::Npm && dev.contains(folder);
        match packages.last_mut().filter(|known| installed(known) == installed(&one.package)) {
            Some(known) => one.join(known, is_dev),
            None => packages.push(one.start(is_dev, &owners, tag.as_ref())),
        }
        if let Some((package, text)) = packages.last_mut().zip(integrity.get(folder))
            && package.checksums.is_empty()
        {
            package.checksums = Checksum::integrity(text);
        }
        if is_table(one.path) && one.is_app {
            folders.app(packages.len() - 1);
        } else if one.package.ecosystem == Ecosystem::Npm && !is_table(one.path) {
            folders.package(one.path, packages.len() - 1, &one.package.requires, one.is_app);
        }
    }
    let licences = licences(stack);
    for package in &mut packages {
        package.requires.sort();
        package.requires.dedup();
        if package.ecosystem == Ecosystem::Deb {
            package.licence = licences.get(package.name.as_str()).map(|licence| (*licence).clone());
        }
    }
    unread.retain(|unread| matters(unread, stack, &owners));
    unread.extend(depends::resolve(&mut packages, &folders));
    let unseen = unseen::unseen(stack, whole, &folders, &owners);
    (packages, unseen)
}

fn find<'a>(stack: &Stack<'a>, absent: &Absent<'_>, folders: &mut Folders<'a>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let mut linked: BTreeMap<String, bool> = BTreeMap::new();
    let workspaces = Workspaces::of(stack);
    let mut manifests = Vec::new();
    let from: HashMap<&str, &Elsewhere> =
        stack.readings().flat_map(|(_, reading, _)| came_from(reading)).collect();
    for (path, reading, layer) in stack.readings() {
        match reading {
            Reading::Package(package) if absent.holds(path, package) => {}
            Reading::Package(package) => {
                let from = path.strip_suffix("/package.json").and_then(|folder| from.get(folder));
                let package = match from {
                    Some(&from) => {
                        Cow::Owned(Package { elsewhere: Some(from.clone()), ..(**package).clone() })
                    }
                    None => Cow::Borrowed(&**package),
                };
                found.push(Found { path, package, layer, is_app: false });
            }
            Reading::Manifest(package) => {
                manifests.push(Found { path, package: Cow::Borrowed(&**package), layer, is_app: true });
            }
            Reading::Link(target) => {
                if let Some(to) = folders.link(path, target).filter(|_| !is_modules(path)) {
                    // A global link to an app makes it no other's, and neither does one from below it, or the list that pnpm keeps of
                    // the projects of its workspace.
                    let is_listed = path.contains("/.pnpm/node_modules/");
                    let is_from_beside =
                        !is_listed && !depends::is_global(path) && !path.starts_with(&format!("{to}/"));
                    *linked.entry(to).or_default() |= is_from_beside;
                }
            }
            _ => {}
        }
    }
    // Packages are installed beside it, a table of packages names it, or `node_modules` links to its folder, or it is a tool of Node.js.
    found.extend(manifests.into_iter().filter_map(|mut manifest| {
        let folder = manifest.path.strip_suffix("package.json").unwrap_or_default();
        let beside = stack.first_below(&format!("{folder}node_modules/")).is_some();
        let tool = groups::tool_of(manifest.path).is_some();
        let folder = folder.trim_end_matches('/');
        let is_linked = linked.get(folder);
        let is_others = is_linked == Some(&true) && !workspaces.hold(folder, &manifest.package.name);
        manifest.is_app = !tool && !is_others;
        if is_others {
            manifest.package.to_mut().elsewhere = Some(Elsewhere::Address(format!("file:{folder}")));
        } else if !tool {
            manifest.package.to_mut().elsewhere = Some(Elsewhere::Own);
        }
        (beside || tool || is_table(manifest.path) || is_linked.is_some()).then_some(manifest)
    }));
    found.sort_by_key(|found| found.path);
    found
}

/// Licences of Debian packages, of which several may share one copyright file.
fn licences<'a>(stack: &Stack<'a>) -> HashMap<&'a str, &'a Licence> {
    let mut found = HashMap::new();
    let mut shared = Vec::new();
    for (path, reading, _) in stack.readings() {
        match reading {
            Reading::Licence { package, licence } => drop(found.insert(package.as_str(), licence)),
            Reading::Link(target) => {
                let to = depends::follow(path, target).unwrap_or_default();
                shared.extend(documented(path).zip(documented(&to).map(str::to_owned)));
            }
            _ => {}
        }
    }
    for (name, with) in shared {
        if let Some(licence) = found.get(with.as_str()).copied() {
            found.entry(name).or_insert(licence);
        }
    }
    found
}

/// Of every layer: a deleted file is still in the image.
fn indicators(stack: &Stack<'_>) -> Vec<Indicator> {
    let mut found = BTreeMap::new();
    for (file, layer, seen) in stack.all_files() {
        for kind in &file.indicators {
            let place = Place { path: file.path.clone(), layer: Some(layer) };
            found.insert((*kind, place), !seen);
        }
    }
    found.into_iter().map(|((kind, place), deleted)| Indicator { kind, place, deleted }).collect()
}

/// Of every layer, too.
fn secrets(stack: &Stack<'_>) -> Vec<Secret> {
    let mut found: Vec<Secret> = stack
        .all_files()
        .flat_map(|(file, layer, seen)| {
            file.secrets.iter().cloned().map(move |mut secret| {
                secret.place.layer = Some(layer);
                secret.deleted = !seen;
                secret
            })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn checked(reading: &Reading) -> impl Iterator<Item = (&str, &str)> {
    let checked = match reading {
        Reading::Integrity(checked) => checked.as_slice(),
        _ => &[],
    };
    checked.iter().map(|(folder, integrity)| (folder.as_str(), integrity.as_str()))
}

fn came_from(reading: &Reading) -> impl Iterator<Item = (&str, &Elsewhere)> {
    let from = match reading {
        Reading::From(from) => from.as_slice(),
        _ => &[],
    };
    from.iter().map(|(folder, place)| (folder.as_str(), place))
}

fn dev_only(reading: &Reading) -> impl Iterator<Item = &str> {
    let folders = match reading {
        Reading::DevOnly(folders) => folders.as_slice(),
        _ => &[],
    };
    folders.iter().map(String::as_str)
}
