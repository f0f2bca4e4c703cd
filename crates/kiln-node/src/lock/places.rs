//! Where the packages of a lock file lie, and which of them each folder sees: its own, and those of the folders above it.

use std::collections::BTreeMap;

/// The longest place, in bytes: no system that kiln builds for opens a longer path. Source: Linux, `PATH_MAX`.
pub(super) const LONGEST: usize = 4_096;

/// Packages by the folder whose `node_modules` they lie in; the top is empty.
#[derive(Default)]
pub(super) struct Places<'a>(BTreeMap<&'a str, BTreeMap<&'a str, usize>>);

/// What a folder sees.
#[derive(Default)]
pub(super) struct Seen<'a>(BTreeMap<&'a str, Vec<usize>>);

impl<'a> Places<'a> {
    pub(super) fn put(&mut self, folder: &'a str, name: &'a str, package: usize) {
        self.0.entry(folder).or_default().insert(name, package);
    }

    /// The packages that lie at the top.
    pub(super) fn top(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.0.get("").into_iter().flatten().map(|(name, package)| (*name, *package))
    }

    /// Visits each of `folders` with what it sees. Folders are passed once, from the top down, so that depth costs nothing.
    pub(super) fn walk<'b>(
        &'b self,
        folders: impl Iterator<Item = &'b str>,
        mut visit: impl FnMut(&'b str, &Seen<'a>),
    ) {
        let mut asking: Vec<(String, &str, bool)> =
            self.0.keys().map(|folder| (in_order(folder), *folder, false)).collect();
        asking.extend(folders.map(|folder| (in_order(folder), folder, true)));
        asking.sort();
        let mut seen = Seen::default();
        let mut open: Vec<&str> = Vec::new();
        for (_, folder, asks) in asking {
            while let Some(above) = open.pop_if(|above| !is_within(folder, above)) {
                self.names(above).for_each(|(name, _)| seen.leave(name));
            }
            if open.last() != Some(&folder) {
                open.push(folder);
                self.names(folder).for_each(|(name, package)| seen.enter(name, package));
            }
            if asks {
                visit(folder, &seen);
            }
        }
    }

    /// What lies in a folder. Nothing is looked for in `node_modules/node_modules`. Source: Node.js docs, "Loading from
    /// node_modules folders".
    fn names(&self, folder: &str) -> impl Iterator<Item = (&'a str, usize)> {
        let names = self.0.get(folder).filter(|_| folder.rsplit('/').next() != Some("node_modules"));
        names.into_iter().flatten().map(|(name, package)| (*name, *package))
    }
}

impl<'a> Seen<'a> {
    /// The nearest package of that name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.0.get(name)?.last().copied()
    }

    fn enter(&mut self, name: &'a str, package: usize) {
        self.0.entry(name).or_default().push(package);
    }

    fn leave(&mut self, name: &str) {
        self.0.get_mut(name).map(Vec::pop);
    }
}

/// A key by which folders come right before what lies in them.
fn in_order(folder: &str) -> String {
    folder.replace('/', "\0")
}

/// Whether `folder` is `above`, or lies in it.
pub(super) fn is_within(folder: &str, above: &str) -> bool {
    above.is_empty()
        || folder.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_counts_and_depth_costs_nothing() {
        let deep = (0..200).fold(String::new(), |above, _| format!("{above}node_modules/a/"));
        let deep = deep.trim_end_matches('/');
        let mut places = Places::default();
        places.put("", "x", 1);
        places.put("", "a", 2);
        places.put("node_modules/a", "x", 3);
        places.put("node_modules", "x", 4);
        places.put("node_modules/a-b", "y", 5);
        let mut found = Vec::new();
        let folders = ["", "packages/p", "node_modules/a", "node_modules/ab", "node_modules/a-b", deep];
        places.walk(folders.into_iter(), |folder, seen| {
            found.push((folder.len(), seen.find("x"), seen.find("y")));
        });
        found.sort_unstable();
        let expected = [
            (0, Some(1), None),
            (10, Some(1), None),
            (14, Some(3), None),
            (15, Some(1), None),
            (16, Some(1), Some(5)),
            (deep.len(), Some(3), None),
        ];
        assert_eq!(found, expected);
    }
}
