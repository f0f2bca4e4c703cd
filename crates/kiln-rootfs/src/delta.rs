mod links;

use std::collections::BTreeSet;
use std::io::{Read, Write};

use crate::error::ErrorKind;
use crate::{
    Attrs, Content, Entry, EntryKind, Error, Kind, LayerEntry, LayerReader, RootPath, TarWriter, Tree,
    Whiteout,
};
use links::{Placer, keep_names};

/// How many links of lower layers the entries of one layer may lie below.
const LINKS_MAX: usize = 100;

/// What one layer changes: entries that it places, and what it takes away from the layers below.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Placed. A folder that is placed over a folder keeps what lies below it.
    pub tree: Tree,
    /// Taken away, with everything below.
    pub removed: BTreeSet<RootPath>,
    /// Folders whose content in lower layers is taken away.
    pub opaque: BTreeSet<RootPath>,
    /// Folders of `tree` that the layer says nothing of but that something lies in them: where a lower layer has such a folder,
    /// it stays what it is.
    pub implied: BTreeSet<RootPath>,
}

impl Delta {
    /// A layer that only places.
    pub fn placing(tree: Tree) -> Self {
        Self { tree, ..Self::default() }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty() && self.removed.is_empty() && self.opaque.is_empty()
    }

    /// Changes `below` as this layer does. Source: image-spec, layer.md "Applying Changesets".
    ///
    /// Whiteouts act on lower layers alone, wherever they stand in this one. A file of a lower layer keeps its other names when
    /// one goes or is replaced. Links of lower layers are gone through, as a runtime does.
    pub fn apply(&self, below: &mut Tree) -> Result<(), Error> {
        match self.link_below(below) {
            None => self.apply_here(below),
            Some(link) => self.without_links(link, below)?.apply_here(below),
        }
    }

    /// Changes `below`, where nothing of this layer lies below a link.
    fn apply_here(&self, below: &mut Tree) -> Result<(), Error> {
        keep_names(below, &|path| self.takes_away(path))?;
        for path in &self.removed {
            below.remove(path);
        }
        for folder in &self.opaque {
            below.remove_below(folder);
        }
        for (path, entry) in self.tree.iter() {
            let stays = self.implied.contains(path)
                && below.get(path).is_some_and(|entry| matches!(entry.kind, Kind::Dir));
            if !stays {
                below.insert(path.clone(), self.seen_over(below, path, entry)?)?;
            }
        }
        Ok(())
    }

    /// An entry as it is over the layers below: another name of a file of theirs names it where links on the way lead to, and
    /// another name of a link is a link that leads to the same place.
    fn seen_over(&self, below: &Tree, path: &RootPath, entry: &Entry) -> Result<Entry, Error> {
        let mut seen = entry.clone();
        if let Kind::Hardlink(target) = &entry.kind
            && self.tree.get(target).is_none()
        {
            let folder = below.resolve(&target.parent().unwrap_or_default(), true);
            let file = folder.ok_or_else(|| dangling(path, target))?.join(target.file_name())?;
            seen.kind = match below.get(&file).map(|entry| &entry.kind) {
                Some(Kind::File(_)) => Kind::Hardlink(file),
                Some(other @ (Kind::Hardlink(_) | Kind::Symlink(_))) => other.clone(),
                Some(Kind::Dir) | None => return Err(dangling(path, target)),
            };
        }
        Ok(seen)
    }

    /// The first folder on the way to something of this layer that is a link below, and where that leads.
    fn link_below(&self, below: &Tree) -> Option<(RootPath, String)> {
        let mut folders = self.folders_below().into_iter().filter(|folder| !self.hides(folder));
        folders.find_map(|folder| match &below.get(&folder)?.kind {
            Kind::Symlink(target) => {
                let target = target.clone();
                Some((folder, target))
            }
            _ => None,
        })
    }

    /// The same layer with everything where the links below lead.
    fn without_links(&self, link: (RootPath, String), below: &Tree) -> Result<Self, Error> {
        let mut moved = self.clone();
        let mut next = Some(link);
        for _ in 0..LINKS_MAX {
            let Some((folder, target)) = next else { return Ok(moved) };
            let start =
                if target.starts_with('/') { RootPath::ROOT } else { folder.parent().unwrap_or_default() };
            let to = RootPath::clamped(&format!("{start}/{target}"))?;
            if to.starts_with(&folder) {
                return Err(Error::path(folder.as_str(), "is a link below itself"));
            }
            moved.relocate(&folder, &to)?;
            next = moved.link_below(below);
        }
        Err(Error::path("", "lies below more than 100 links of the layers below"))
    }

    /// Whether a file of the layers below is no longer what it was.
    fn takes_away(&self, path: &RootPath) -> bool {
        self.tree.get(path).is_some() || self.hides(path)
    }

    /// Whether what the layers below have at this path is gone, whatever this layer has there.
    fn hides(&self, path: &RootPath) -> bool {
        let mut at = Some(path.clone());
        while let Some(here) = at {
            let is_replaced = self.tree.get(&here).is_some_and(|entry| !matches!(entry.kind, Kind::Dir));
            if is_replaced || self.removed.contains(&here) || here != *path && self.opaque.contains(&here) {
                return true;
            }
            at = here.parent();
        }
        false
    }

    /// The hard links whose file is in a layer below, and the name of that file.
    pub fn links_below(&self) -> impl Iterator<Item = (&RootPath, &RootPath)> {
        self.tree.iter().filter_map(|(path, entry)| match &entry.kind {
            Kind::Hardlink(target) if self.tree.get(target).is_none() => Some((path, target)),
            _ => None,
        })
    }

    /// Refuses hard links whose file is in a layer below, where there is none.
    pub fn holds_its_links(&self) -> Result<(), Error> {
        self.links_below().next().map_or(Ok(()), |(path, target)| Err(dangling(path, target)))
    }

    /// Reads a layer. `content` says what becomes of the bytes of a file; it may leave them unread. Devices, pipes and
    /// sockets are left out: no build can make them, and none looks at them.
    ///
    /// Refused are hard links to a folder or to nothing, and marks below something that is no folder. The file of a hard link
    /// may lie in a layer below; see [`Delta::links_below`].
    pub fn read<R: Read>(
        reader: &mut LayerReader<R>,
        content: &mut dyn FnMut(&LayerEntry, &mut dyn Read) -> Result<Content, Error>,
    ) -> Result<Self, Error> {
        let mut placer = Placer::default();
        while let Some(entry) = reader.next_entry()? {
            let kind = match &entry.kind {
                EntryKind::Dir => Kind::Dir,
                EntryKind::File => Kind::File(content(&entry, reader)?),
                EntryKind::Symlink(target) => Kind::Symlink(target.clone()),
                EntryKind::Hardlink(target) => Kind::Hardlink(target.clone()),
                EntryKind::Special => {
                    placer.leave_out(entry.path);
                    continue;
                }
                EntryKind::Whiteout(Whiteout::Remove(path)) => {
                    placer.delta.removed.insert(path.clone());
                    continue;
                }
                EntryKind::Whiteout(Whiteout::Opaque(path)) => {
                    placer.delta.opaque.insert(path.clone());
                    continue;
                }
            };
            let attrs = Attrs { mode: entry.mode, uid: entry.uid, gid: entry.gid, xattrs: entry.xattrs };
            match &kind {
                Kind::Hardlink(target) => placer.link(entry.path, target.clone(), Entry { attrs, kind })?,
                _ => placer.place(entry.path, Entry { attrs, kind })?,
            }
        }
        let mut delta = placer.delta;
        delta.forget_replaced();
        delta.check()?;
        Ok(delta)
    }

    /// Places an entry; folders above it that the layer says nothing of are implied.
    pub(crate) fn place(&mut self, path: RootPath, entry: Entry) -> Result<(), Error> {
        let mut above = path.parent();
        while let Some(folder) = above.filter(|folder| !folder.is_root() && self.tree.get(folder).is_none()) {
            above = folder.parent();
            self.implied.insert(folder);
        }
        self.implied.remove(&path);
        self.tree.insert(path, entry)
    }

    /// Moves everything below a folder to where a link of a lower layer in its place leads.
    fn relocate(&mut self, from: &RootPath, to: &RootPath) -> Result<(), Error> {
        let moved = |path: &RootPath| match path.as_str()[from.as_str().len()..].trim_start_matches('/') {
            "" => Ok(to.clone()),
            rest => to.join(rest),
        };
        // What is implied is implied again where it is needed: it must not take the place of what is said.
        let entries: Vec<(RootPath, Entry)> = self
            .tree
            .below(from)
            .filter(|(path, _)| *path != from && !self.implied.contains(*path))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        self.tree.remove(from);
        self.implied.retain(|path| !path.starts_with(from));
        for (path, entry) in entries {
            self.place(moved(&path)?, entry)?;
        }
        let targets: Vec<RootPath> = self.tree.iter().map(|(path, _)| path.clone()).collect();
        for path in targets {
            if let Some(Entry { kind: Kind::Hardlink(target), .. }) = self.tree.get_mut(&path)
                && target.starts_with(from)
            {
                *target = moved(target)?;
            }
        }
        for marks in [&mut self.removed, &mut self.opaque] {
            let below: Vec<RootPath> = marks.iter().filter(|path| path.starts_with(from)).cloned().collect();
            for path in below {
                marks.remove(&path);
                marks.insert(moved(&path)?);
            }
        }
        self.forget_replaced();
        self.check()
    }

    /// What was implied and is something else by now is implied no more.
    fn forget_replaced(&mut self) {
        let tree = &self.tree;
        self.implied.retain(|path| tree.get(path).is_some_and(|entry| matches!(entry.kind, Kind::Dir)));
    }

    /// The folders that something of this layer lies in and that it says nothing of, parents first.
    pub fn folders_below(&self) -> BTreeSet<RootPath> {
        let marked = self.removed.iter().filter_map(RootPath::parent).chain(self.opaque.iter().cloned());
        let mut folders = self.implied.clone();
        for folder in marked {
            let mut at = Some(folder);
            while let Some(here) = at.filter(|here| !here.is_root() && self.tree.get(here).is_none()) {
                at = here.parent();
                folders.insert(here);
            }
        }
        folders
    }

    /// Whether links lead to files, and marks lie in folders.
    fn check(&self) -> Result<(), Error> {
        for (path, entry) in self.tree.iter() {
            if let Kind::Hardlink(target) = &entry.kind
                && self.tree.get(target).is_some_and(|entry| !matches!(entry.kind, Kind::File(_)))
            {
                return Err(dangling(path, target));
            }
        }
        let parents = self.removed.iter().filter_map(|path| Some((path, path.parent()?)));
        let marks = parents.chain(self.opaque.iter().map(|path| (path, path.clone())));
        for (mark, folder) in marks {
            if let Some(above) = self.no_folder(folder) {
                let (mark, above) = (mark.to_string(), above.to_string());
                return Err(ErrorKind::Mark { mark, above }.into());
            }
        }
        Ok(())
    }

    /// The first part of a path, from below, that this layer makes something else than a folder.
    fn no_folder(&self, path: RootPath) -> Option<RootPath> {
        let mut at = Some(path);
        while let Some(here) = at {
            match self.tree.get(&here).map(|entry| &entry.kind) {
                Some(Kind::Dir) => return None,
                Some(_) => return Some(here),
                None => at = here.parent(),
            }
        }
        None
    }
}

/// In a layer, a name that begins so is an order to take something away, whatever it was meant to be.
fn no_mark(path: &RootPath) -> Result<(), Error> {
    if path.file_name().starts_with(".wh.") {
        return Err(Error::path(
            path.as_str(),
            "has a name with which layers mark a removal (`.wh.…`); give it another",
        ));
    }
    Ok(())
}

fn dangling(path: &RootPath, target: &RootPath) -> Error {
    ErrorKind::Link { path: path.to_string(), target: target.to_string() }.into()
}

/// Writes a layer as a PAX tar: whiteouts stand before their siblings, and what is implied is left to be implied. See [`crate::write_tar`] for what its bytes
/// depend on.
pub fn write_delta<W: Write>(delta: &Delta, output: W, mtime: u64) -> Result<W, Error> {
    let mut writer = TarWriter::new(output, mtime);
    let mut whiteouts = Vec::with_capacity(delta.removed.len() + delta.opaque.len());
    for path in &delta.opaque {
        whiteouts.push(path.join(".wh..wh..opq")?);
    }
    for path in &delta.removed {
        let parent = path.parent().unwrap_or(RootPath::ROOT);
        whiteouts.push(parent.join(&format!(".wh.{}", path.file_name()))?);
    }
    whiteouts.sort_by_cached_key(|path| (path.parent(), path.clone()));
    let empty = Kind::File(Content::Bytes(std::sync::Arc::from([])));
    let mut pending = whiteouts.iter().peekable();
    for (path, entry) in delta.tree.iter().filter(|(path, _)| !delta.implied.contains(*path)) {
        no_mark(path)?;
        // Everything that sorts before this entry's folder content goes out once the folder itself is written.
        while let Some(whiteout) =
            pending.next_if(|whiteout| whiteout.parent().is_some_and(|parent| parent < *path))
        {
            writer.entry(whiteout, &Attrs::root(0), &empty)?;
        }
        writer.entry(path, &entry.attrs, &entry.kind)?;
    }
    for whiteout in pending {
        writer.entry(whiteout, &Attrs::root(0), &empty)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RootPath {
        RootPath::new(text).unwrap()
    }

    fn read(tar: &[u8]) -> Delta {
        let mut reader = LayerReader::new(tar, crate::Limits::default());
        Delta::read(&mut reader, &mut |entry, bytes| {
            let mut content = Vec::new();
            bytes.read_to_end(&mut content).unwrap();
            assert_eq!(content.len() as u64, entry.size);
            Ok(Content::Bytes(content.into()))
        })
        .unwrap()
    }

    fn sample() -> Delta {
        let mut delta = Delta::default();
        delta.tree.insert_file("a/new", 0o600, *b"new").unwrap();
        delta.tree.insert_dir("b", 0o700).unwrap();
        delta.removed.extend([path("a/old"), path("z")]);
        delta.opaque.insert(path("b"));
        delta
    }

    #[test]
    fn what_is_written_is_read() {
        let tar = write_delta(&sample(), Vec::new(), 0).unwrap();
        let read = read(&tar);
        assert_eq!((&read.removed, &read.opaque), (&sample().removed, &sample().opaque));
        let paths: Vec<_> = read.tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "a/new", "b"]);
        assert_eq!(tar, write_delta(&read, Vec::new(), 0).unwrap());
    }

    #[test]
    fn names_that_are_marks_are_not_written() {
        for name in ["a/.wh.b", ".wh..wh..opq", ".wh.d/x"] {
            let mut tree = Tree::new();
            tree.insert_file(name, 0o644, *b"").unwrap();
            assert!(write_delta(&Delta::placing(tree), Vec::new(), 0).is_err(), "{name}");
        }
    }

    /// A layer that says nothing of the folders it lies in.
    fn of_nothing_but(file: Option<&str>, removed: &[&str], opaque: &[&str]) -> Delta {
        let mut delta = Delta::default();
        if let Some(file) = file {
            let kind = Kind::File(Content::Bytes(std::sync::Arc::from(*b"new")));
            delta.place(path(file), Entry { attrs: Attrs::root(0o644), kind }).unwrap();
        }
        delta.removed = removed.iter().map(|text| path(text)).collect();
        delta.opaque = opaque.iter().map(|text| path(text)).collect();
        delta
    }

    fn usr_merged() -> Tree {
        let mut below = Tree::new();
        for file in ["usr/lib/a", "usr/lib/b/c"] {
            below.insert_file(file, 0o644, *b"").unwrap();
        }
        below.insert_dir("usr/lib", 0o711).unwrap();
        below.insert_symlink("lib", "usr/lib").unwrap();
        below.insert_symlink("l", "/lib").unwrap();
        below
    }

    #[test]
    fn links_of_lower_layers_are_gone_through() {
        for (layer, expected) in [
            (
                of_nothing_but(Some("lib/new"), &[], &[]),
                "l lib usr usr/lib usr/lib/a usr/lib/b usr/lib/b/c usr/lib/new",
            ),
            (
                of_nothing_but(Some("l/d/new"), &[], &[]),
                "l lib usr usr/lib usr/lib/a usr/lib/b usr/lib/b/c usr/lib/d usr/lib/d/new",
            ),
            (of_nothing_but(None, &["lib/a"], &[]), "l lib usr usr/lib usr/lib/b usr/lib/b/c"),
            (of_nothing_but(None, &[], &["l/b"]), "l lib usr usr/lib usr/lib/a usr/lib/b"),
            (
                of_nothing_but(Some("lib/new"), &["lib"], &[]),
                "l lib lib/new usr usr/lib usr/lib/a usr/lib/b usr/lib/b/c",
            ),
        ] {
            let mut tree = usr_merged();
            layer.apply(&mut tree).unwrap();
            let paths: Vec<_> = tree.iter().map(|(path, _)| path.as_str()).collect();
            assert_eq!(paths.join(" "), expected);
            assert_eq!(tree.get(&path("usr/lib")).unwrap().attrs.mode, 0o711);
        }
        // What the layer says of a folder counts, and not what its way through a link implies.
        let mut said = of_nothing_but(Some("lib/d/new"), &[], &[]);
        said.place(path("usr/lib/d"), Entry { attrs: Attrs::root(0o700), kind: Kind::Dir }).unwrap();
        let mut tree = usr_merged();
        said.apply(&mut tree).unwrap();
        assert_eq!(tree.get(&path("usr/lib/d")).unwrap().attrs.mode, 0o700);
        assert!(tree.get(&path("usr/lib/d/new")).is_some());
        // A link to the root, three times on the way.
        let mut tree = Tree::new();
        tree.insert_symlink("b", "/").unwrap();
        of_nothing_but(Some("b/b/b"), &[], &[]).apply(&mut tree).unwrap();
        assert!(matches!(tree.get(&path("b")).unwrap().kind, Kind::File(_)));
        let mut circle = Tree::new();
        circle.insert_symlink("a", "b").unwrap();
        circle.insert_symlink("b", "a").unwrap();
        circle.insert_symlink("c", "c/d").unwrap();
        for file in ["a/x", "c/x"] {
            assert!(of_nothing_but(Some(file), &[], &[]).apply(&mut circle).is_err(), "{file}");
        }
    }

    #[test]
    fn changes_are_applied_as_a_runtime_does() {
        let mut below = Tree::new();
        for file in ["a/old", "a/kept", "b/gone/deep", "z/y"] {
            below.insert_file(file, 0o644, *b"").unwrap();
        }
        sample().apply(&mut below).unwrap();
        let paths: Vec<_> = below.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "a/kept", "a/new", "b"]);
    }
}
