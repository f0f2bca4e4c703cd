use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use kiln_disk::{Dir, Located, Writer};
use kiln_rootfs::{Attrs, Content, Delta, Entry, Kind, RootPath};

use super::{OPAQUE, attrs};
use crate::{Error, Ids};

/// What becomes of content that lies on disk already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// It stays where it is and is copied.
    Copy,
    /// It is moved; it must lie on the same file system.
    Move,
}

/// Writes a layer into `folder`, which must be empty or missing. Every hard link must name a file of the layer.
///
/// Nothing can escape: everything is made in the folder by its descriptor, and no link is gone through.
pub fn write_upper(delta: &Delta, folder: &Path, ids: Ids, placing: Placing) -> Result<(), Error> {
    let root = Dir::create(folder).map_err(Error::io("create the folder", folder))?;
    let mut layer = Layer { root: &root, writer: Writer::new(&root), ids, placing };
    layer.set(&RootPath::ROOT, &Attrs::root(0o755))?;
    layer.place(delta)?;
    layer.link(delta)?;
    layer.mark(delta)?;
    // Permissions of folders come once all they hold is there.
    let dirs: Vec<_> = delta.tree.iter().filter(|(_, entry)| matches!(entry.kind, Kind::Dir)).collect();
    dirs.into_iter().rev().try_for_each(|(path, entry)| layer.set(path, &entry.attrs))
}

struct Layer<'a> {
    root: &'a Dir,
    writer: Writer<'a>,
    ids: Ids,
    placing: Placing,
}

impl Layer<'_> {
    fn place(&mut self, delta: &Delta) -> Result<(), Error> {
        for (path, entry) in delta.tree.iter().filter(|(path, _)| !path.is_root()) {
            self.entry(path, entry).map_err(|source| self.failed("write", path, source))?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &RootPath, entry: &Entry) -> io::Result<()> {
        match &entry.kind {
            Kind::Dir => self.writer.dir(path),
            // Links take no attributes but an owner that is real.
            Kind::Symlink(target) => {
                self.writer.symlink(path, target)?;
                match attrs::outside(self.ids, entry.attrs.uid, entry.attrs.gid)? {
                    Some(owner) => self.writer.own(path, owner),
                    None => Ok(()),
                }
            }
            Kind::File(content) => {
                let file = self.file(path, content)?;
                attrs::set(&file, &entry.attrs, self.ids)
            }
            Kind::Hardlink(_) => Ok(()),
        }
    }

    fn file(&mut self, path: &RootPath, content: &Content) -> io::Result<File> {
        match (Located::of(content), content) {
            (Some(located), _) if self.placing == Placing::Move => {
                self.writer.take(path, located)?;
                self.writer.handle(path)
            }
            (Some(located), _) => {
                let mut file = self.writer.file(path)?;
                // From file to file, the copy may share the bytes, where the file system can.
                io::copy(&mut located.file()?, &mut file)?;
                Ok(file)
            }
            (None, Content::Bytes(bytes)) => {
                let mut file = self.writer.file(path)?;
                file.write_all(bytes)?;
                Ok(file)
            }
            (None, content) => {
                let mut file = self.writer.file(path)?;
                io::copy(&mut content.open()?, &mut file)?;
                Ok(file)
            }
        }
    }

    /// The other names of files, once all files are there.
    fn link(&mut self, delta: &Delta) -> Result<(), Error> {
        for (path, entry) in delta.tree.iter() {
            if let Kind::Hardlink(file) = &entry.kind {
                self.writer.hard_link(path, file).map_err(|source| self.failed("link", path, source))?;
            }
        }
        Ok(())
    }

    /// What the layer takes away.
    fn mark(&mut self, delta: &Delta) -> Result<(), Error> {
        for path in &delta.removed {
            match delta.tree.get(path).map(|entry| &entry.kind) {
                None => {
                    self.make_folder(path.parent())?;
                    self.writer
                        .whiteout(path)
                        .map_err(|source| self.failed("note the removal of", path, source))?;
                }
                // What takes the place of something removed hides it; a folder must be told to.
                Some(Kind::Dir) => self.hide(path)?,
                Some(_) => {}
            }
        }
        for path in &delta.opaque {
            self.make_folder(Some(path.clone()))?;
            self.hide(path)?;
        }
        Ok(())
    }

    fn hide(&self, path: &RootPath) -> Result<(), Error> {
        let mark = || attrs::put(&self.root.handle(path)?, OPAQUE, b"y");
        mark().map_err(|source| self.failed("mark", path, source))
    }

    /// Makes a folder that the layer itself does not have, and those above it.
    fn make_folder(&mut self, path: Option<RootPath>) -> Result<(), Error> {
        let Some(path) = path.filter(|path| !path.is_root()) else { return Ok(()) };
        if self.root.meta(&path).is_ok_and(|found| found.is_dir()) {
            return Ok(());
        }
        self.make_folder(path.parent())?;
        self.writer.dir(&path).map_err(|source| self.failed("create the folder", &path, source))?;
        self.set(&path, &Attrs::root(0o755))
    }

    fn set(&self, path: &RootPath, attrs: &Attrs) -> Result<(), Error> {
        let set = || attrs::set(&self.root.handle(path)?, attrs, self.ids);
        set().map_err(|source| self.failed("set the attributes of", path, source))
    }

    fn failed(&self, doing: &'static str, path: &RootPath, source: io::Error) -> Error {
        Error::io(doing, &self.root.place_of(path))(source)
    }
}
