//! What must stay as it is, and must not get out.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder of the machine that nobody named.
pub(super) struct Canary {
    folder: PathBuf,
    secret: String,
    before: BTreeMap<PathBuf, Seen>,
}

/// Kind and permissions, owner, size, number, change of the inode, content.
type Seen = (u32, u32, u64, u64, (i64, i64), Option<Vec<u8>>);

impl Canary {
    pub(super) fn new(folder: PathBuf, owner: Option<(u32, u32)>) -> Self {
        let secret =
            format!("canary-{}-{}", folder.metadata().map_or(0, |found| found.ino()), "sings in no image");
        fs::create_dir_all(folder.join("folder")).unwrap();
        fs::write(folder.join("secret"), &secret).unwrap();
        fs::write(folder.join("folder/file"), &secret).unwrap();
        for path in ["", "secret", "folder", "folder/file"] {
            let (uid, gid) = owner.unzip();
            std::os::unix::fs::chown(folder.join(path), uid, gid).unwrap();
        }
        let before = look(&folder);
        Self { folder, secret, before }
    }

    /// Its name without the first slash.
    pub(super) fn name(&self) -> String {
        self.folder.to_str().unwrap().trim_start_matches('/').to_owned()
    }

    #[track_caller]
    pub(super) fn is_as_it_was(&self, what: &str) {
        assert_eq!(look(&self.folder), self.before, "{what} changed the canary");
    }

    /// Nothing below a folder holds the secret, packed or not.
    #[track_caller]
    pub(super) fn is_not_in(&self, folder: &Path) -> usize {
        let mut files = 0;
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() {
                    files += 1;
                    let bytes = fs::read(entry.path()).unwrap_or_default();
                    let mut plain = Vec::new();
                    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
                        drop(
                            kiln_rootfs::decompress(&bytes[..])
                                .and_then(|mut tar| tar.read_to_end(&mut plain)),
                        );
                    }
                    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, self.secret.as_bytes()).is_some();
                    assert!(
                        !holds(&bytes) && !holds(&plain),
                        "the canary sings in {}",
                        entry.path().display()
                    );
                }
            }
        }
        files
    }
}

fn look(folder: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let content = found.is_file().then(|| fs::read(&path).unwrap());
        if found.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let time = (found.ctime(), found.ctime_nsec());
        seen.insert(path, (found.mode(), found.uid(), found.size(), found.ino(), time, content));
    }
    seen
}
