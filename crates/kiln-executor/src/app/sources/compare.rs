use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use kiln_attest::SourceChanges;
use kiln_build::{Key, tree_digest};
use kiln_oci::HashingWriter;
use kiln_rootfs::{Content, Entry, Kind, RootPath, Tree};
use sha1_checked::Sha1;

/// Bit of a file that its owner may run.
const EXECUTABLE: u32 = 0o100;

/// Everything that a commit holds below a folder.
pub(super) struct Listing {
    format: Format,
    entries: BTreeMap<String, Listed>,
}

/// How the objects of a repository are named. Source: gitformat-pack, "object format".
#[derive(Clone, Copy)]
enum Format {
    Sha1,
    Sha256,
}

struct Listed {
    mode: String,
    object: String,
}

/// Reads what `git ls-tree -r -z` prints: `MODE TYPE OBJECT TAB PATH NUL`.
pub(super) fn listed(bytes: &[u8], format: &str) -> Result<Listing, String> {
    let format = match format {
        "sha1" => Format::Sha1,
        "sha256" => Format::Sha256,
        other => return Err(format!("its objects are named by {other}, which kiln does not compute")),
    };
    let mut entries = BTreeMap::new();
    for line in bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let line = std::str::from_utf8(line)
            .map_err(|_| "the commit has a file whose name is no UTF-8".to_owned())?;
        let strange = || format!("git lists {line:?}, which is no entry of a commit");
        let (about, path) = line.split_once('\t').ok_or_else(strange)?;
        let mut words = about.split(' ');
        let (Some(mode), Some(_), Some(object), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(strange());
        };
        entries.insert(path.to_owned(), Listed { mode: mode.to_owned(), object: object.to_owned() });
    }
    Ok(Listing { format, entries })
}

/// How the files of `tree` differ from those of the commit. What the commit has and the tree has not counts where it is gone from
/// `folder`, too: else it was left out on purpose.
pub(super) fn changes(tree: &Tree, commit: &Listing, folder: &Path) -> Result<Option<SourceChanges>, String> {
    let mut differing = Tree::new();
    let files = tree.iter().filter(|(_, entry)| !matches!(entry.kind, Kind::Dir));
    for (path, entry) in files {
        let is_same = match commit.entries.get(path.as_str()) {
            Some(listed) => {
                listed.is(entry, commit.format).map_err(|error| format!("read {path}: {error}"))?
            }
            None => false,
        };
        if !is_same {
            differing.insert(path.clone(), entry.clone()).map_err(|error| error.to_string())?;
        }
    }
    let is_gone = |path: &str| {
        let known = RootPath::normalise(path).ok();
        known.is_none_or(|known| tree.get(&known).is_none() && folder.join(path).symlink_metadata().is_err())
    };
    let gone: Vec<&String> = commit.entries.keys().filter(|path| is_gone(path)).collect();
    let changed = differing.iter().filter(|(_, entry)| !matches!(entry.kind, Kind::Dir));
    let mut files: Vec<String> = changed.map(|(path, _)| path.to_string()).collect();
    if files.is_empty() && gone.is_empty() {
        return Ok(None);
    }
    let digest = tree_digest(&differing).map_err(|(path, error)| format!("read {path}: {error}"))?;
    let key = Key::new("difference").field("tree", digest.as_bytes());
    let digest = gone.iter().fold(key, |key, path| key.field("gone", path)).finish();
    files.extend(gone.into_iter().cloned());
    files.sort_unstable();
    Ok(Some(SourceChanges { files, digest }))
}

impl Listed {
    /// Whether a file or link is what the commit has, to the byte; files of git-lfs by the pointer that stands for them.
    fn is(&self, entry: &Entry, format: Format) -> io::Result<bool> {
        match (&entry.kind, self.mode.as_str()) {
            (Kind::Symlink(target), "120000") => {
                Ok(format.blob(&mut target.as_bytes(), target.len() as u64)? == self.object)
            }
            (Kind::File(content), "100644" | "100755") => {
                let may_run = entry.attrs.mode & EXECUTABLE != 0;
                let is_right = || {
                    let own = format.blob(&mut *content.open()?, content.size())?;
                    Ok(own == self.object || format.pointer(content)? == self.object)
                };
                if may_run == (self.mode == "100755") { is_right() } else { Ok(false) }
            }
            _ => Ok(false),
        }
    }
}

impl Format {
    /// The name of a file as git stores it. Source: gitformat-loose, "Loose object format": `blob SIZE NUL CONTENT`.
    fn blob(self, content: &mut dyn Read, size: u64) -> io::Result<String> {
        let head = format!("blob {size}\0");
        let mut whole = head.as_bytes().chain(content);
        match self {
            Self::Sha1 => {
                let mut hasher = Sha1::new();
                io::copy(&mut whole, &mut hasher)?;
                let found = hasher.try_finalize();
                // Two files may have one name of this kind if somebody made them so; then the name says nothing.
                Ok(if found.has_collision() { String::new() } else { hex::encode(found.hash()) })
            }
            Self::Sha256 => sha256(&mut whole),
        }
    }

    /// The name of the pointer that stands for a file which git-lfs keeps. Source: git-lfs, docs/spec.md, "The Pointer".
    fn pointer(self, content: &Content) -> io::Result<String> {
        let (oid, size) = (sha256(&mut *content.open()?)?, content.size());
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
        self.blob(&mut pointer.as_bytes(), pointer.len() as u64)
    }
}

fn sha256(bytes: &mut dyn Read) -> io::Result<String> {
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(bytes, &mut hasher)?;
    Ok(hasher.finish().1.hex())
}
