use std::fs::File;
use std::io::{self, Read};

use kiln_rootfs::{Content, RootPath, Stored};

use crate::Dir;

/// A file in a folder, opened each time from the folder, through no link.
#[derive(Clone, Debug)]
pub struct Located {
    /// The folder.
    pub folder: Dir,
    /// Where the file is in it.
    pub path: RootPath,
}

impl Located {
    /// The file as the content of a tree; `size` is what it must hold when it is read.
    pub fn content(folder: &Dir, path: RootPath, size: u64) -> Content {
        Content::Stored { file: std::sync::Arc::new(Self { folder: folder.clone(), path }), size }
    }

    /// What a content is, if it lies on disk.
    pub fn of(content: &Content) -> Option<&Self> {
        let Content::Stored { file, .. } = content else { return None };
        let file: &dyn std::any::Any = &**file;
        file.downcast_ref()
    }

    /// Opens the file.
    pub fn file(&self) -> io::Result<File> {
        self.folder.file(&self.path)
    }
}

impl Stored for Located {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.file()?))
    }

    fn place(&self) -> String {
        self.folder.place_of(&self.path).display().to_string()
    }
}
