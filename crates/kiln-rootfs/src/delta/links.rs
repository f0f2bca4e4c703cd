//! Hard links when entries are replaced or taken away: the other names of a file keep what it held.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ErrorKind;
use crate::{Delta, Entry, Error, Kind, RootPath, Tree};

/// Puts entries of a layer into its tree, in the order of the tar.
#[derive(Default)]
pub(crate) struct Placer {
    pub(crate) delta: Delta,
    /// The other names of files, by the name that is the file.
    names: BTreeMap<RootPath, Vec<RootPath>>,
    /// Devices, pipes and sockets, which are left out, and so are their other names.
    left_out: BTreeSet<RootPath>,
    /// About how many bytes of memory the names and attributes take.
    weight: u64,
}

/// The most memory that names and attributes of one layer may take, in bytes: a layer of 500,000 files takes a third of it.
const WEIGHT_MAX: u64 = 512 << 20;
/// What an entry takes besides its names.
const ENTRY: u64 = 256;
/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;

impl Placer {
    /// Places an entry over what the same layer placed before.
    pub(crate) fn place(&mut self, path: RootPath, entry: Entry) -> Result<(), Error> {
        if path.parts().count() > DEPTH_MAX {
            return Err(Error::path(path.as_str(), "lies deeper than 256 folders"));
        }
        let attributes: usize = entry.attrs.xattrs.iter().map(|(name, value)| name.len() + value.len()).sum();
        let link = if let Kind::Symlink(target) = &entry.kind { target.len() } else { 0 };
        let before = self.delta.implied.len();
        let length = path.as_str().len() as u64;
        self.weight += length + (attributes + link) as u64 + ENTRY;
        if let Some(names) = self.names.remove(&path) {
            hand_over(&mut self.delta.tree, &path, &names)?;
        }
        self.delta.place(path, entry)?;
        let implied = self.delta.implied.len().saturating_sub(before) as u64;
        self.weight += implied * (length + ENTRY);
        if self.weight > WEIGHT_MAX {
            return Err(ErrorKind::Limit { what: "bytes of names and attributes", limit: WEIGHT_MAX }.into());
        }
        Ok(())
    }

    /// Leaves out a device, a pipe or a socket.
    pub(crate) fn leave_out(&mut self, path: RootPath) {
        self.left_out.insert(path);
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
            None if self.left_out.contains(&target) => {
                self.left_out.insert(path);
                Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, LayerReader, Limits};

    /// A layer of `(kind, name, link)`; what a file holds is its name.
    fn layer(entries: &[(u8, &str, &str)]) -> Result<Delta, Error> {
        let mut tar = tar::Builder::new(Vec::new());
        for (kind, name, link) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::new(*kind));
            header.set_mode(0o644);
            header.set_size(if *kind == b'0' { name.len() as u64 } else { 0 });
            if !link.is_empty() {
                header.set_link_name(link).unwrap();
            }
            let body = if *kind == b'0' { name.as_bytes() } else { b"" };
            tar.append_data(&mut header, name, body).unwrap();
        }
        let tar = tar.into_inner().unwrap();
        Delta::read(&mut LayerReader::new(&tar[..], Limits::default()), &mut |_, bytes| {
            let mut content = Vec::new();
            bytes.read_to_end(&mut content).unwrap();
            Ok(Content::Bytes(content.into()))
        })
    }

    /// What is read at a path, other names followed.
    fn text(tree: &Tree, path: &str) -> Option<String> {
        let path = RootPath::new(path).unwrap();
        match &tree.get(&path)?.kind {
            Kind::File(Content::Bytes(bytes)) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Kind::Hardlink(file) => text(tree, file.as_str()),
            _ => None,
        }
    }

    #[test]
    fn other_names_keep_what_a_file_held() {
        let mut below = layer(&[(b'0', "f", ""), (b'1', "g", "f"), (b'1', "h", "g")]).unwrap().tree;
        layer(&[(b'0', "f", "")]).unwrap().apply(&mut below).unwrap();
        below.insert_file("f", 0o644, *b"new").unwrap();
        assert_eq!((text(&below, "g").as_deref(), text(&below, "h").as_deref()), (Some("f"), Some("f")));
        for gone in [".wh.g", ".wh..wh..opq"] {
            let mut below = layer(&[(b'0', "d/g", ""), (b'1', "h", "d/g"), (b'1', "i", "d/g")]).unwrap().tree;
            layer(&[(b'0', &format!("d/{gone}"), "")]).unwrap().apply(&mut below).unwrap();
            assert_eq!(
                (text(&below, "h").as_deref(), text(&below, "i").as_deref()),
                (Some("d/g"), Some("d/g"))
            );
        }
        let within = layer(&[(b'0', "f", ""), (b'1', "g", "f"), (b'2', "f", "/etc/shadow")]).unwrap().tree;
        assert_eq!(text(&within, "g").as_deref(), Some("f"));
    }

    #[test]
    fn files_of_lower_layers_have_names_in_upper_ones() {
        let mut below = layer(&[(b'0', "f", "")]).unwrap().tree;
        let upper = layer(&[(b'1', "g", "/f")]).unwrap();
        assert_eq!(upper.links_below().count(), 1);
        upper.apply(&mut below).unwrap();
        assert_eq!(text(&below, "g").as_deref(), Some("f"));
        let error = upper.apply(&mut Tree::new()).unwrap_err().to_string();
        assert_eq!(error, "the hard link `g` names `f`, which is no file of this layer or of those below");
    }

    #[test]
    fn names_of_lower_files_go_through_links_of_lower_layers() {
        let lower = [(b'5', "usr", ""), (b'0', "usr/f", ""), (b'2', "lib", "usr"), (b'2', "l", "usr/f")];
        let mut below = layer(&lower).unwrap().tree;
        layer(&[(b'1', "g", "lib/f"), (b'1', "h", "l")]).unwrap().apply(&mut below).unwrap();
        assert_eq!(text(&below, "g").as_deref(), Some("usr/f"));
        let kind = |path: &str| below.get(&RootPath::new(path).unwrap()).map(|entry| entry.kind.clone());
        assert!(matches!(kind("g"), Some(Kind::Hardlink(file)) if file.as_str() == "usr/f"));
        assert!(matches!(kind("h"), Some(Kind::Symlink(to)) if to == "usr/f"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for entries in [
            &[(b'1', "x", "x")][..],
            &[(b'1', "x", "y"), (b'1', "y", "x")],
            &[(b'5', "d", ""), (b'1', "x", "d")],
            &[(b'2', "a", "/home"), (b'0', "a/.wh.name", "")],
            &[(b'0', "a", ""), (b'0', "a/.wh..wh..opq", "")],
            &[(b'0', "a", ""), (b'0', "a/b/.wh.c", "")],
        ] {
            let outcome = layer(entries).and_then(|delta| delta.apply(&mut Tree::new()));
            assert!(outcome.is_err(), "{entries:?}");
        }
        let left_out =
            layer(&[(b'6', "pipe", ""), (b'1', "other", "pipe"), (b'2', "l", "/x"), (b'1', "m", "l")]);
        let paths: Vec<String> = left_out.unwrap().tree.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(paths, ["l", "m"]);
    }

    #[test]
    fn sizes_depths_and_names_have_caps() {
        let mut header = tar::Header::new_ustar();
        header.set_path("f").unwrap();
        header.set_entry_type(tar::EntryType::Char);
        header.set_mode(0o644);
        // The largest number that the field holds in base 256; what is added to it overflows.
        header.as_old_mut().size = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        header.set_cksum();
        let read = |tar: &[u8]| {
            let mut reader = LayerReader::new(tar, Limits::default());
            Delta::read(&mut reader, &mut |_, _| Ok(Content::Bytes([].into()))).map(drop)
        };
        assert!(read(header.as_bytes()).unwrap_err().to_string().contains("limit"));
        let deep = vec!["d"; 300].join("/");
        assert!(layer(&[(b'0', &deep, "")]).unwrap_err().to_string().contains("deeper than 256"));
        let mut placer = Placer::default();
        let heavy = [("user.a".to_owned(), vec![0; 64 << 20])];
        let outcome = (0..9).try_for_each(|at| {
            let attrs = crate::Attrs { xattrs: heavy.clone().into(), ..crate::Attrs::root(0o644) };
            let entry = Entry { attrs, kind: Kind::Dir };
            // What has the name already is replaced, and counts all the same.
            placer.place(RootPath::new(if at % 2 == 0 { "a" } else { "b" }).unwrap(), entry)
        });
        assert!(outcome.unwrap_err().to_string().contains("names and attributes"));
    }
}
