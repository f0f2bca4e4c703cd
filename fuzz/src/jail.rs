//! A folder for hostile content, and beside it one that must stay as it is.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kiln_rootfs::{Kind, Tree};
use tempfile::TempDir;

/// What no content may ever hold.
const SECRET: &[u8] = b"the secret of this machine";

/// A temporary folder with a folder of secrets.
pub struct Jail {
    folder: TempDir,
    state: Vec<State>,
}

/// All that a change of a file or folder changes: its name, and what its inode says, times included.
#[derive(Debug, PartialEq, Eq)]
struct State {
    path: PathBuf,
    inode: [u64; 6],
    changed: (i64, i64),
}

impl Jail {
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kiln-fuzz").tempdir().expect("a temporary folder");
        let canary = folder.path().join("canary");
        fs::create_dir_all(canary.join("folder/below")).expect("a new folder");
        for name in ["secret", "folder/secret", "folder/below/secret"] {
            fs::write(canary.join(name), SECRET).expect("a new file");
        }
        let state = state(&canary);
        Self { folder, state }
    }

    /// Where a piece of hostile content may go; nothing is there yet.
    pub fn cell(&self) -> PathBuf {
        self.folder.path().join("cell")
    }

    /// The folder of secrets, without its first slash.
    pub fn out(&self) -> String {
        let canary = self.folder.path().join("canary");
        canary.to_str().expect("temporary folders have names in UTF-8").trim_start_matches('/').to_owned()
    }

    /// Asserts that nothing but the cell has changed.
    pub fn holds(&self) {
        let names = fs::read_dir(self.folder.path()).expect("the folder of the jail");
        for name in names.map(|entry| entry.expect("the folder of the jail").file_name()) {
            assert!(name == "canary" || name == "cell", "{} appeared beside the cell", name.display());
        }
        let now = state(&self.folder.path().join("canary"));
        assert!(now == self.state, "the canary was {:#?} and is {now:#?}", self.state);
    }
}

fn state(canary: &Path) -> Vec<State> {
    let mut found = Vec::new();
    let mut open = vec![canary.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).expect("the canary");
        if meta.is_dir() {
            open.extend(
                fs::read_dir(&path).expect("the canary").map(|entry| entry.expect("the canary").path()),
            );
        }
        let inode =
            [meta.ino(), meta.mode().into(), meta.uid().into(), meta.gid().into(), meta.nlink(), meta.size()];
        found.push(State { path, inode, changed: (meta.ctime(), meta.ctime_nsec()) });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Asserts that no file of a tree is one of the secrets.
pub fn holds_no_secret(tree: &Tree) {
    for (path, entry) in tree.iter() {
        let Kind::File(content) = &entry.kind else { continue };
        let mut bytes = Vec::new();
        let read = content.open().and_then(|content| content.take(1 << 20).read_to_end(&mut bytes));
        read.unwrap_or_else(|error| panic!("{path} was there when it was listed: {error}"));
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET), "{path} is a secret");
    }
}
