use std::io;
use std::path::{Path, PathBuf};

use kiln_disk::Dir;
use kiln_finding::{Class, Failure};

use crate::read_in::read_in;

/// A folder that the user names, held open.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: Dir,
}

impl Folder {
    /// Opens it. What is not there, and what is no folder, is told as that, the same for all commands.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match Dir::open(path) {
            Ok(dir) => Ok(Self { dir }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(absent(path)),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let what = format!("open the folder {}: it is no folder", path.display());
                Err(Failure::new("app.no_folder", Class::Usage, what).with_help("name a folder"))
            }
            Err(error) => {
                let what = format!("open the folder {}", path.display());
                Err(Failure::new("app.unread", Class::Environment, what).with_cause(error.to_string()))
            }
        }
    }

    /// Where it was when it was opened.
    pub fn place(&self) -> &Path {
        self.dir.place()
    }

    /// The folder itself.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Where something in it is, for messages.
    pub(crate) fn place_of(&self, path: &str) -> PathBuf {
        self.place().join(path)
    }

    /// The bytes of a regular file of it; `None` where there is nothing. Links are not followed, and more than `cap` bytes
    /// are refused.
    pub(crate) fn read(&self, path: &str, cap: u64) -> io::Result<Option<Vec<u8>>> {
        read_in(&self.dir, path, cap)
    }

    /// The same as text that may hold anything, for what decides nothing by being broken.
    pub(crate) fn text(&self, path: &str, cap: u64) -> Option<String> {
        let bytes = self.read(path, cap).ok().flatten()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What every command says of a path where there is nothing.
pub fn absent(path: &Path) -> Failure {
    let what = format!("find {}: there is no such file or folder", path.display());
    Failure::new("app.no_folder", Class::Usage, what)
}
