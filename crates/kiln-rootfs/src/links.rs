//! Hard links when entries are replaced or taken away: the other names of a file keep what it held.

use std::collections::BTreeMap;

use crate::error::ErrorKind;
use crate::{Delta, Entry, Error, Kind, RootPath, Tree};

/// Puts entries of a layer into its tree, in the order of the tar.
#[derive(Default)]
pub(crate) struct Placer {
    pub(crate) delta: Delta,
    /// The other names of files, by the name that is the file.
    names: BTreeMap<RootPath, Vec<RootPath>>,
}

impl Placer {
    /// Places an entry over what the same layer placed before.
    pub(crate) fn place(&mut self, path: RootPath, entry: Entry) -> Result<(), Error> {
        if let Some(names) = self.names.remove(&path) {
            hand_over(&mut self.delta.tree, &path, &names)?;
        }
        self.delta.tree.insert(path, entry)
    }

    /// Gives what a hard link names another name. What is not in this layer may be in one below.
    pub(crate) fn link(&mut self, path: RootPath, target: RootPath, entry: Entry) -> Result<(), Error> {
        if path == target {
            return Err(ErrorKind::Link { path: path.to_string(), target: target.to_string() }.into());
        }
        match self.delta.tree.get(&target).map(|entry| &entry.kind) {
            Some(Kind::Dir) => {
                Err(ErrorKind::Link { path: path.to_string(), target: target.to_string() }.into())
            }
            Some(Kind::Hardlink(file)) => {
                let file = file.clone();
                self.note(path, file, entry)
            }
            // Another name of a link is a link that leads to the same place.
            Some(link @ Kind::Symlink(_)) => {
                let kind = link.clone();
                self.place(path, Entry { kind, ..entry })
            }
            Some(Kind::File(_)) | None => self.note(path, target, entry),
        }
    }

    fn note(&mut self, path: RootPath, file: RootPath, entry: Entry) -> Result<(), Error> {
        if path == file {
            return Ok(());
        }
        self.place(path.clone(), Entry { kind: Kind::Hardlink(file.clone()), ..entry })?;
        self.names.entry(file).or_default().push(path);
        Ok(())
    }
}

/// Makes the first of `names` the file that `path` is so far, and the others names of that one.
fn hand_over(tree: &mut Tree, path: &RootPath, names: &[RootPath]) -> Result<(), Error> {
    let Some(file @ Entry { kind: Kind::File(_), .. }) = tree.get(path).cloned() else { return Ok(()) };
    let is_name = |name: &&RootPath| matches!(tree.get(name).map(|entry| &entry.kind), Some(Kind::Hardlink(target)) if target == path);
    let names: Vec<RootPath> = names.iter().filter(is_name).cloned().collect();
    let Some((heir, others)) = names.split_first() else { return Ok(()) };
    for name in others {
        if let Some(entry) = tree.get_mut(name) {
            entry.kind = Kind::Hardlink(heir.clone());
        }
    }
    tree.insert(heir.clone(), file)
}

/// Before files of `below` go, by `is_gone`: their other names keep what they held.
pub(crate) fn keep_names(below: &mut Tree, is_gone: &dyn Fn(&RootPath) -> bool) -> Result<(), Error> {
    let mut names: BTreeMap<RootPath, Vec<RootPath>> = BTreeMap::new();
    for (path, entry) in below.iter() {
        if let Kind::Hardlink(target) = &entry.kind
            && is_gone(target)
            && !is_gone(path)
        {
            names.entry(target.clone()).or_default().push(path.clone());
        }
    }
    names.iter().try_for_each(|(path, names)| hand_over(below, path, names))
}
