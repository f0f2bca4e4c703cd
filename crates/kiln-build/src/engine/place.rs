//! Where `COPY` and `ADD` put what they take. Follows BuildKit (`solver/llbsolver/file/backend.go`) and its copier.

use std::collections::BTreeMap;

use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree, resolve};

use super::rooted::rooted;
use super::select::Item;
use crate::Error;
use crate::error::ErrorKind;

/// Where things go and what becomes of their attributes.
pub(super) struct Placement<'a> {
    /// Absolute, as written; `/` at the end makes it a folder.
    pub(super) dest: &'a str,
    /// Owner of everything that is placed; its own where there is none.
    pub(super) owner: Option<(u32, u32)>,
    /// Changes permissions: (permissions, is it a folder).
    pub(super) mode: Option<&'a dyn Fn(u32, bool) -> u32>,
    /// Whether a path, relative to what is copied, stays behind.
    pub(super) excluded: &'a dyn Fn(&str) -> bool,
    /// What is there already.
    pub(super) below: &'a dyn Fn(&RootPath) -> Option<&'a Entry>,
}

/// Places the items and yields all that changes.
pub(super) fn place(items: &[Item<'_>], placement: &Placement<'_>) -> Result<Tree, Error> {
    let mut placer = Placer { placement, placed: Tree::new() };
    for item in items {
        placer.item(item)?;
    }
    Ok(placer.placed)
}

struct Placer<'a, 'b> {
    placement: &'a Placement<'b>,
    placed: Tree,
}

impl Placer<'_, '_> {
    fn get(&self, path: &RootPath) -> Option<&Entry> {
        self.placed.get(path).or_else(|| (self.placement.below)(path))
    }

    fn follow(&self, path: &RootPath) -> Result<RootPath, Error> {
        let link = |path: &RootPath| match self.get(path).map(|entry| &entry.kind) {
            Some(Kind::Symlink(target)) => Some(target.as_str()),
            _ => None,
        };
        resolve(path, true, &link).ok_or_else(|| ErrorKind::Circle { path: format!("/{path}") }.into())
    }

    fn is_dir(&self, path: &RootPath) -> bool {
        path.is_root() || self.get(path).is_some_and(|entry| matches!(entry.kind, Kind::Dir))
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Error> {
        let mut dest = self.placement.dest.to_owned();
        if let Some(below) = &item.keeps {
            dest = format!("{}/{below}", dest.trim_end_matches('/'));
        }
        let path = rooted(&dest)?;
        let target = self.follow(&path)?;
        self.keep_parents(item, &target)?;
        let Some(source) = item.entry() else { return self.contents(item, &target) };
        if matches!(source.kind, Kind::Dir) {
            return self.contents(item, &target);
        }
        if (self.placement.excluded)(&item.name) {
            return Ok(());
        }
        // A folder takes the file in; a path that ends with `/` is a folder.
        let is_folder = self.is_dir(&target) || item.keeps.is_none() && dest.ends_with('/');
        let target = if is_folder { join(&target, &item.name)? } else { target };
        self.make_parents(&target)?;
        self.entry(&target, self.changed(source, item.tree, &BTreeMap::new())?)
    }

    /// With `--parents`, folders on the way that are new are what they are where they come from.
    fn keep_parents(&mut self, item: &Item<'_>, target: &RootPath) -> Result<(), Error> {
        let kept = item.keeps.as_deref().map_or(0, |keeps| keeps.split('/').count() - 1);
        let mut ways = Vec::new();
        let (mut source, mut inside) = (item.path.parent(), target.parent());
        while let (Some(from), Some(to)) = (source, inside)
            && ways.len() < kept
            && from.file_name() == to.file_name()
        {
            (source, inside) = (from.parent(), to.parent());
            ways.push((from, to));
        }
        for (from, to) in ways.into_iter().rev() {
            if self.get(&to).is_none()
                && let Some(folder @ Entry { kind: Kind::Dir, .. }) = item.tree.get(&from)
            {
                self.make_parents(&to)?;
                self.entry(&to, self.changed(folder, item.tree, &BTreeMap::new())?)?;
            }
        }
        Ok(())
    }

    /// Puts what a folder holds into the folder `target`.
    fn contents(&mut self, item: &Item<'_>, target: &RootPath) -> Result<(), Error> {
        let is_new = !target.is_root() && self.get(target).is_none();
        self.make_dir(target)?;
        if item.keeps.is_some()
            && is_new
            && let Some(source) = item.entry()
        {
            self.entry(target, self.changed(source, item.tree, &BTreeMap::new())?)?;
        }
        // Contexts have no hard links, and may have a great many files.
        let has_links = item.tree.iter().any(|(_, entry)| matches!(entry.kind, Kind::Hardlink(_)));
        let mut names = BTreeMap::new();
        let mut excluded_parents: Vec<&RootPath> = Vec::new();
        for (path, entry) in item.tree.below(&item.path).filter(|(path, _)| **path != item.path) {
            let below = path.as_str()[item.path.as_str().len()..].trim_start_matches('/');
            let is_dir = matches!(entry.kind, Kind::Dir);
            if (self.placement.excluded)(below) {
                if is_dir {
                    excluded_parents.push(path);
                }
                continue;
            }
            let inside = join(target, below)?;
            // A folder that was left out and holds something that is not appears with it.
            for parent in excluded_parents.iter().filter(|parent| path.starts_with(parent)) {
                let inside =
                    join(target, parent.as_str()[item.path.as_str().len()..].trim_start_matches('/'))?;
                if self.placed.get(&inside).is_none()
                    && let Some(entry) = item.tree.get(parent)
                {
                    self.entry(&inside, self.changed(entry, item.tree, &names)?)?;
                }
            }
            self.entry(&inside, self.changed(entry, item.tree, &names)?)?;
            if has_links {
                names.insert(path.clone(), inside);
            }
        }
        Ok(())
    }

    /// The entry with the attributes it gets. `names` says where files of this copy went; a hard link to one that was
    /// not copied becomes the file.
    fn changed(
        &self,
        entry: &Entry,
        from: &Tree,
        names: &BTreeMap<RootPath, RootPath>,
    ) -> Result<Entry, Error> {
        let mut changed = entry.clone();
        if let Kind::Hardlink(other) = &entry.kind {
            changed.kind = match (names.get(other), from.get(other)) {
                (Some(inside), _) => Kind::Hardlink(inside.clone()),
                (None, Some(file)) => file.kind.clone(),
                (None, None) => return Err(ErrorKind::LooseLink { path: format!("/{other}") }.into()),
            };
        }
        self.change(&mut changed.attrs, &changed.kind);
        Ok(changed)
    }

    fn change(&self, attrs: &mut Attrs, kind: &Kind) {
        if let Some((uid, gid)) = self.placement.owner {
            (attrs.uid, attrs.gid) = (uid, gid);
        }
        if let Some(mode) = self.placement.mode
            && !matches!(kind, Kind::Symlink(_))
        {
            attrs.mode = mode(attrs.mode, matches!(kind, Kind::Dir));
        }
    }

    fn entry(&mut self, path: &RootPath, entry: Entry) -> Result<(), Error> {
        let becomes_dir = matches!(entry.kind, Kind::Dir);
        match self.get(path).map(|there| matches!(there.kind, Kind::Dir)) {
            Some(is_dir) if is_dir != becomes_dir => {
                let (path, is_dir) = (format!("/{path}"), is_dir);
                return Err(ErrorKind::InTheWay { path, is_dir }.into());
            }
            _ => {}
        }
        self.placed.insert(path.clone(), entry).map_err(|source| ErrorKind::Tree { source }.into())
    }

    fn make_parents(&mut self, path: &RootPath) -> Result<(), Error> {
        match path.parent() {
            Some(parent) => self.make_dir(&parent),
            None => Ok(()),
        }
    }

    /// The folder, as it is below or new. Folders on the way to something placed are part of what changes.
    fn make_dir(&mut self, path: &RootPath) -> Result<(), Error> {
        if path.is_root() || self.placed.get(path).is_some_and(|entry| matches!(entry.kind, Kind::Dir)) {
            return Ok(());
        }
        self.make_parents(path)?;
        let entry = match self.get(path) {
            Some(entry) if matches!(entry.kind, Kind::Dir) => entry.clone(),
            Some(_) => return Err(ErrorKind::InTheWay { path: format!("/{path}"), is_dir: false }.into()),
            None => {
                let mut attrs = Attrs::root(0o755);
                self.change(&mut attrs, &Kind::Dir);
                // Nobody means the folders on the way to a program that is to be setuid.
                attrs.mode &= 0o777;
                Entry { attrs, kind: Kind::Dir }
            }
        };
        self.placed.insert(path.clone(), entry).map_err(|source| ErrorKind::Tree { source }.into())
    }
}

fn join(path: &RootPath, below: &str) -> Result<RootPath, Error> {
    path.join(below).map_err(|source| ErrorKind::Tree { source }.into())
}

#[cfg(test)]
mod tests;
