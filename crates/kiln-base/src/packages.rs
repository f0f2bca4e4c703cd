use std::cmp::Ordering;
use std::collections::BTreeMap;

use kiln_pkg::version::deb::compare;

use crate::deb822;
use crate::relation::{self, Relation};

/// A package as an index lists it.
#[derive(Clone, Debug)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) filename: &'a str,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
    pub(crate) depends: &'a str,
    pub(crate) pre_depends: &'a str,
    provides: &'a str,
    priority: &'a str,
    /// Whether it is in the security archive.
    pub(crate) security: bool,
}

/// The packages of all suites of one architecture: of each name the newest.
#[derive(Debug, Default)]
pub(crate) struct Index<'a> {
    by_name: BTreeMap<&'a str, Package<'a>>,
    providers: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Index<'a> {
    /// Takes in the text of one `Packages` file.
    pub(crate) fn add(&mut self, text: &'a str, security: bool) {
        for stanza in deb822::stanzas(text) {
            let Some(package) = read(&stanza, security) else { continue };
            let newer = self
                .by_name
                .get(package.name)
                .is_none_or(|known| compare(package.version, known.version) == Ordering::Greater);
            if newer {
                self.by_name.insert(package.name, package);
            }
        }
    }

    /// Notes who provides what; to be called once everything is added.
    pub(crate) fn finish(&mut self) {
        for package in self.by_name.values() {
            for relation in relation::parse(package.provides).into_iter().flatten() {
                self.providers.entry(relation.name).or_default().push(package.name);
            }
        }
        let by_name = &self.by_name;
        for providers in self.providers.values_mut() {
            providers.sort_by_key(|name| (by_name[name].rank(), *name));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Package<'a>> {
        self.by_name.get(name)
    }

    /// The packages that satisfy `relation`, the best first: the one of that name, then those that provide it.
    pub(crate) fn satisfying<'b>(
        &'b self,
        relation: &'b Relation<'_>,
    ) -> impl Iterator<Item = &'b Package<'a>> {
        let named = self.get(relation.name).filter(|package| relation.accepts(package.version));
        let providers = self.providers.get(relation.name).into_iter().flatten();
        named
            .into_iter()
            .chain(providers.filter_map(|name| self.get(name)).filter(|package| package.provides(relation)))
    }
}

impl Package<'_> {
    /// Required packages before important ones, and so on.
    fn rank(&self) -> usize {
        let order = ["required", "important", "standard", "optional"];
        order.iter().position(|priority| *priority == self.priority).unwrap_or(order.len())
    }

    /// A dependency on a version is met only by a provided version.
    fn provides(&self, wanted: &Relation<'_>) -> bool {
        relation::parse(self.provides).into_iter().flatten().any(|provided| {
            provided.name == wanted.name
                && (wanted.version.is_none()
                    || provided.version.is_some_and(|(_, version)| wanted.accepts(version)))
        })
    }
}

fn read<'a>(stanza: &deb822::Stanza<'a>, security: bool) -> Option<Package<'a>> {
    let (mut name, mut version, mut arch, mut filename, mut size, mut sha256) = ("", "", "", "", "", "");
    let (mut depends, mut pre_depends, mut provides, mut priority) = ("", "", "", "");
    for (field, value) in stanza.fields() {
        let place = match field {
            "Package" => &mut name,
            "Version" => &mut version,
            "Architecture" => &mut arch,
            "Filename" => &mut filename,
            "Size" => &mut size,
            "SHA256" => &mut sha256,
            "Depends" => &mut depends,
            "Pre-Depends" => &mut pre_depends,
            "Provides" => &mut provides,
            "Priority" => &mut priority,
            _ => continue,
        };
        *place = value;
    }
    let complete = [name, version, arch, filename, sha256].iter().all(|value| !value.is_empty());
    complete.then_some(Package {
        name,
        version,
        filename,
        size: size.parse().ok()?,
        sha256,
        depends,
        pre_depends,
        provides,
        priority,
        security,
    })
}
