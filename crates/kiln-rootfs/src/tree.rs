use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::ops::Bound;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::{Error, RootPath};

/// Owner, permissions and extended attributes of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attrs {
    /// Permission bits with setuid, setgid and sticky: at most `0o7777`.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

impl Attrs {
    /// Permissions, owned by root.
    pub fn root(mode: u32) -> Self {
        Self { mode, ..Self::default() }
    }
}

/// A file that stays where it is until its bytes are wanted. Whoever implements it answers for what is opened: a name on
/// disk may stand for something else by then.
pub trait Stored: Any + fmt::Debug + Send + Sync {
    /// Opens the bytes for reading.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;

    /// Where it is, for messages.
    fn place(&self) -> String;
}

/// The bytes of a regular file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Held in memory.
    Bytes(Arc<[u8]>),
    /// Read when the tree is written; `size` is what it must hold then.
    Stored {
        /// What it is; shared, as a file that is copied is in several trees at once.
        file: Arc<dyn Stored>,
        /// Its size in bytes.
        size: u64,
    },
}

impl Content {
    /// Size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored { size, .. } => *size,
        }
    }

    /// Opens the bytes for reading.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(&bytes[..]),
            Self::Stored { file, .. } => file.open()?,
        })
    }
}

/// What an entry is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file.
    File(Content),
    /// A symbolic link and its target, as written.
    Symlink(String),
    /// Another name of a regular file of the same tree.
    Hardlink(RootPath),
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Owner and permissions.
    pub attrs: Attrs,
    /// What it is.
    pub kind: Kind,
}

/// A root filesystem, or a part of one that becomes a layer. Iterates in path order, parents first.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: BTreeMap<RootPath, Entry>,
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Places an entry, replacing what was there (a directory keeps its children). Missing parents become
    /// directories of root's with mode 0755; a parent that is no directory is an error.
    pub fn insert(&mut self, path: RootPath, entry: Entry) -> Result<(), Error> {
        self.insert_parents(&path)?;
        let becomes_dir = matches!(entry.kind, Kind::Dir);
        if let Some(old) = self.entries.insert(path.clone(), entry)
            && matches!(old.kind, Kind::Dir)
            && !becomes_dir
        {
            self.remove_below(&path);
        }
        Ok(())
    }

    fn insert_parents(&mut self, path: &RootPath) -> Result<(), Error> {
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(parent) = above {
            if parent.is_root() {
                break;
            }
            match self.entries.get(&parent).map(|entry| &entry.kind) {
                Some(Kind::Dir) => break,
                Some(_) => {
                    let (path, parent) = (path.to_string(), parent.to_string());
                    return Err(ErrorKind::NotADirectory { path, parent }.into());
                }
                None => {
                    above = parent.parent();
                    missing.push(parent);
                }
            }
        }
        for parent in missing {
            self.entries.insert(parent, Entry { attrs: Attrs::root(0o755), kind: Kind::Dir });
        }
        Ok(())
    }

    /// Places a directory of root's.
    pub fn insert_dir(&mut self, path: &str, mode: u32) -> Result<(), Error> {
        self.insert(RootPath::normalise(path)?, Entry { attrs: Attrs::root(mode), kind: Kind::Dir })
    }

    /// Places a file of root's.
    pub fn insert_file(&mut self, path: &str, mode: u32, bytes: impl Into<Arc<[u8]>>) -> Result<(), Error> {
        let kind = Kind::File(Content::Bytes(bytes.into()));
        self.insert(RootPath::normalise(path)?, Entry { attrs: Attrs::root(mode), kind })
    }

    /// Places a symbolic link of root's; its permissions are always 0777.
    pub fn insert_symlink(&mut self, path: &str, target: &str) -> Result<(), Error> {
        let kind = Kind::Symlink(target.to_owned());
        self.insert(RootPath::normalise(path)?, Entry { attrs: Attrs::root(0o777), kind })
    }

    /// Takes out an entry and everything below it.
    pub fn remove(&mut self, path: &RootPath) {
        self.remove_below(path);
        self.entries.remove(path);
    }

    /// Takes out everything below a directory, which stays.
    pub fn remove_below(&mut self, folder: &RootPath) {
        if folder.is_root() {
            self.entries.retain(|path, _| path.is_root());
            return;
        }
        // The range is looked up, as the tree may be large and the orders many.
        let gone: Vec<RootPath> = self.range_below(folder).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.entries.remove(&path);
        }
    }

    /// What lies below a path, without the path itself: in path order, it stands together.
    fn range_below(&self, path: &RootPath) -> impl Iterator<Item = (&RootPath, &Entry)> {
        let (start, end) = path.bounds_below();
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.entries.range::<str, _>((Bound::Excluded(start.as_str()), end))
    }

    /// Keeps only the entries that `keep` says yes to. Children of a dropped directory must be dropped too.
    pub fn retain(&mut self, mut keep: impl FnMut(&RootPath, &Entry) -> bool) {
        self.entries.retain(|path, entry| keep(path, entry));
    }

    /// The entry at `path`.
    pub fn get(&self, path: &RootPath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The entry at `path`, to change it.
    pub fn get_mut(&mut self, path: &RootPath) -> Option<&mut Entry> {
        self.entries.get_mut(path)
    }

    /// All entries in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&RootPath, &Entry)> {
        self.entries.iter()
    }

    /// All entries in path order, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&RootPath, &mut Entry)> {
        self.entries.iter_mut()
    }

    /// The entries at and below `path`.
    pub fn below(&self, path: &RootPath) -> impl Iterator<Item = (&RootPath, &Entry)> {
        self.entries.get_key_value(path).into_iter().chain(self.range_below(path))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sum of the sizes of all regular files, in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.entries
            .values()
            .map(|entry| match &entry.kind {
                Kind::File(content) => content.size(),
                _ => 0,
            })
            .sum()
    }

    /// Lays `upper` over this tree: its entries replace those of the same path.
    pub fn overlay(&mut self, upper: Self) -> Result<(), Error> {
        for (path, entry) in upper.entries {
            self.insert(path, entry)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn parents_appear() {
        let mut tree = Tree::new();
        tree.insert_file("a/b/c", 0o644, *b"x").unwrap();
        assert_eq!(paths(&tree), ["a", "a/b", "a/b/c"]);
        assert_eq!(tree.file_bytes(), 1);
    }

    #[test]
    fn nothing_lies_below_a_file() {
        let mut tree = Tree::new();
        tree.insert_symlink("a", "/etc").unwrap();
        let error = tree.insert_file("a/passwd", 0o644, *b"").unwrap_err();
        assert_eq!(error.to_string(), "`a/passwd` cannot be placed: `a` is not a directory");
    }

    #[test]
    fn a_file_in_place_of_a_directory_takes_its_children_away() {
        let mut tree = Tree::new();
        tree.insert_file("a/b", 0o644, *b"").unwrap();
        tree.insert_file("ab", 0o644, *b"").unwrap();
        tree.insert_file("a", 0o644, *b"").unwrap();
        assert_eq!(paths(&tree), ["a", "ab"]);
    }

    #[test]
    fn a_removed_directory_takes_only_its_own_children() {
        let mut tree = Tree::new();
        tree.insert_file("a/b", 0o644, *b"").unwrap();
        tree.insert_file("a.b", 0o644, *b"").unwrap();
        tree.remove(&RootPath::new("a").unwrap());
        assert_eq!(paths(&tree), ["a.b"]);
    }
}
