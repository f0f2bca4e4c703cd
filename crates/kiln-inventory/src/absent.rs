use std::collections::{BTreeMap, HashSet};

use kiln_pkg::Package;

use crate::facts::Reading;
use crate::stack::Stack;

/// Packages that a table of yarn's lists and that are not in the image: those for development, or for another machine.
#[derive(Default)]
pub(crate) struct Absent<'a>(BTreeMap<&'a str, HashSet<&'a str>>);

impl<'a> Absent<'a> {
    /// Where nothing of a table is where it says, it says nothing of what is absent.
    pub(crate) fn of(stack: &Stack<'a>) -> Self {
        let mut absent = BTreeMap::new();
        for (path, reading, _) in stack.readings() {
            let Reading::Locations(places) = reading else { continue };
            let gone: HashSet<&str> = places
                .iter()
                .filter(|(_, file)| !stack.sees(file))
                .map(|(package, _)| package.as_str())
                .collect();
            if gone.len() < places.len() {
                absent.insert(path, gone);
            }
        }
        Self(absent)
    }

    pub(crate) fn holds(&self, table: &str, package: &Package) -> bool {
        let own = package.provides.first();
        self.0.get(table).is_some_and(|gone| own.is_some_and(|own| gone.contains(own.as_str())))
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let some = self.0.iter().filter(|(_, gone)| !gone.is_empty());
        some.map(|(table, gone)| format!("{} packages of {table} are not in this image", gone.len()))
    }
}
