//! Where a vulnerable package comes from: the layer, and the way from a direct dependency of the app.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kiln_pkg::{Inventory, Package};

use crate::{MadeBy, Match};

/// The layer that brings the package of `found`.
pub(crate) fn made_by(inventory: &Inventory, found: &Match) -> Option<MadeBy> {
    let diff_id = found.places.iter().find_map(|place| place.layer)?;
    let instruction = inventory.layer(&diff_id).and_then(|layer| layer.created_by.clone());
    Some(MadeBy { diff_id, instruction })
}

/// Who depends on whom, upwards.
pub(crate) struct Paths<'a> {
    by_key: BTreeMap<String, &'a Package>,
    /// Keys of the packages that depend on a key.
    needed_by: BTreeMap<&'a str, Vec<&'a Package>>,
}

impl<'a> Paths<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let with_direct = inventory.packages.iter().any(|package| !package.direct.is_empty());
        let packages = if with_direct { inventory.packages.as_slice() } else { &[] };
        let mut needed_by: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
        for package in packages {
            for key in &package.depends_on {
                needed_by.entry(key).or_default().push(package);
            }
        }
        Self { by_key: packages.iter().map(|package| (package.key(), package)).collect(), needed_by }
    }

    /// The shortest way from a direct dependency down to the package of `found`; empty where there is none.
    pub(crate) fn to(&self, found: &Match) -> Vec<String> {
        let direct: BTreeSet<&str> = found.direct.iter().map(String::as_str).collect();
        let Some(start) = self.by_key.get(&found.package).filter(|_| !direct.is_empty()) else {
            return Vec::new();
        };
        // From the package up; each with the one below it.
        let mut below: BTreeMap<String, Option<String>> = BTreeMap::from([(name(start), None)]);
        let mut open = VecDeque::from([*start]);
        while let Some(package) = open.pop_front() {
            if direct.contains(name(package).as_str()) {
                return way(&below, name(package));
            }
            for above in self.needed_by.get(package.key().as_str()).into_iter().flatten() {
                if let Entry::Vacant(unseen) = below.entry(name(above)) {
                    unseen.insert(Some(name(package)));
                    open.push_back(above);
                }
            }
        }
        Vec::new()
    }
}

fn name(package: &Package) -> String {
    format!("{}@{}", package.name, package.version)
}

fn way(below: &BTreeMap<String, Option<String>>, top: String) -> Vec<String> {
    let mut way = vec![top];
    while let Some(Some(next)) = way.last().and_then(|last| below.get(last)) {
        way.push(next.clone());
    }
    way
}
