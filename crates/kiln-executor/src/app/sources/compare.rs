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

/// The mode of a submodule, and what stands for it where its files are not known. Source: git, `Documentation/gitformat-index.adoc`.
const SUBMODULE: &str = "160000";
const UNKNOWN: &str = "";

/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;

/// What a commit holds.
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

impl Listing {
    /// Reads what `git ls-tree -r -z` prints of a whole commit: `MODE TYPE OBJECT TAB PATH NUL`. git does not look whether an object is
    /// what its name says, so the names are computed again, up to that of the commit.
    pub(super) fn read(bytes: &[u8], format: &str, (commit, object): (&str, &[u8])) -> Result<Self, String> {
        let format = match format {
            "sha1" => Format::Sha1,
            "sha256" => Format::Sha256,
            other => return Err(format!("its objects are named by {other}, which kiln does not compute")),
        };
        let mut entries = BTreeMap::new();
        for line in bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let (path, listed) = entry(line)?;
            entries.insert(path, listed);
        }
        let root =
            format.tree(&entries.iter().map(|(path, listed)| (path.as_str(), listed)).collect::<Vec<_>>())?;
        let is_right = format.name("commit", object) == commit
            && object
                .strip_prefix(b"tree ")
                .is_some_and(|rest| rest.starts_with(format!("{root}\n").as_bytes()));
        if !is_right {
            return Err("the repository holds objects that are not what their names say".to_owned());
        }
        Ok(Self { format, entries })
    }

    /// What lies below a folder, which is given with a slash at its end; none where there is nothing.
    pub(super) fn below(self, prefix: &str) -> Option<Self> {
        let own = |(path, listed): (String, Listed)| Some((path.strip_prefix(prefix)?.to_owned(), listed));
        let entries: BTreeMap<String, Listed> = self.entries.into_iter().filter_map(own).collect();
        (!entries.is_empty()).then_some(Self { format: self.format, entries })
    }

    /// A submodule whose files are not among the entries yet: its path, and the commit that is recorded of it.
    pub(super) fn submodule(&self) -> Option<(String, String)> {
        let mut entries = self.entries.iter();
        let (path, listed) = entries.find(|(_, listed)| listed.mode == SUBMODULE)?;
        Some((path.clone(), listed.object.clone()))
    }

    /// Puts what a submodule holds in the place of its commit; nothing, where that is not known: then whatever lies there differs, and
    /// it is gone where nothing does.
    pub(super) fn open(&mut self, path: &str, submodule: Option<Self>) {
        if let Some(submodule) = submodule {
            self.entries.remove(path);
            let inside = submodule.entries.into_iter();
            self.entries.extend(inside.map(|(own, listed)| (format!("{path}/{own}"), listed)));
        } else if let Some(listed) = self.entries.get_mut(path) {
            UNKNOWN.clone_into(&mut listed.mode);
        }
    }

    /// How the files of `tree` differ from those of the commit. What the commit has and the tree has not counts where it is gone from
    /// `folder`, too: else it was left out on purpose. `elsewhere` is what is of no commit.
    pub(super) fn changes(
        &self,
        tree: &Tree,
        folder: &Path,
        elsewhere: &mut Vec<String>,
    ) -> Result<Option<SourceChanges>, String> {
        let mut differing = Tree::new();
        let files = tree.iter().filter(|(path, entry)| {
            !matches!(entry.kind, Kind::Dir) && path.parts().all(|part| part != ".git")
        });
        for (path, entry) in files {
            let is_same = match self.entries.get(path.as_str()) {
                Some(listed) => {
                    listed.is(entry, self.format).map_err(|error| format!("read {path}: {error}"))?
                }
                None => false,
            };
            if !is_same {
                differing.insert(path.clone(), entry.clone()).map_err(|error| error.to_string())?;
            }
        }
        let is_gone = |path: &str| {
            let known = RootPath::normalise(path).ok();
            known.is_none_or(|known| {
                tree.get(&known).is_none() && folder.join(path).symlink_metadata().is_err()
            })
        };
        // Where a submodule was not brought along, what is built from is not all that the commit names.
        let is_empty = |path: &str, listed: &Listed| {
            let below = format!("{path}/");
            let is_folder = RootPath::normalise(path).is_ok_and(|path| tree.get(&path).is_some());
            listed.mode == UNKNOWN
                && is_folder
                && !tree.iter().any(|(path, _)| path.as_str().starts_with(&below))
        };
        let gone = self.entries.iter().filter(|(path, listed)| is_gone(path) || is_empty(path, listed));
        let gone: Vec<&String> = gone.map(|(path, _)| path).collect();
        let changed = differing.iter().filter(|(_, entry)| !matches!(entry.kind, Kind::Dir));
        let mut files: Vec<String> = changed.map(|(path, _)| path.to_string()).collect();
        if files.is_empty() && gone.is_empty() && elsewhere.is_empty() {
            return Ok(None);
        }
        let digest = tree_digest(&differing).map_err(|(path, error)| format!("read {path}: {error}"))?;
        let key = Key::new("difference").field("tree", digest.as_bytes());
        let key = gone.iter().fold(key, |key, path| key.field("gone", path));
        let digest = elsewhere.iter().fold(key, |key, path| key.field("elsewhere", path)).finish();
        files.extend(gone.into_iter().cloned());
        files.append(elsewhere);
        files.sort_unstable();
        Ok(Some(SourceChanges { files, digest }))
    }
}

fn entry(line: &[u8]) -> Result<(String, Listed), String> {
    let line =
        std::str::from_utf8(line).map_err(|_| "the commit has a file whose name is no UTF-8".to_owned())?;
    let strange = || format!("git lists {line:?}, which is no entry of a commit");
    let (about, path) = line.split_once('\t').ok_or_else(strange)?;
    if path.matches('/').count() > DEPTH_MAX {
        return Err(format!("the commit has more than {DEPTH_MAX} folders in each other"));
    }
    let mut words = about.split(' ');
    let (Some(mode), Some(_), Some(object), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(strange());
    };
    Ok((path.to_owned(), Listed { mode: mode.to_owned(), object: object.to_owned() }))
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
    /// The name of the folder that holds these, given by their paths in it, sorted. Source: gitformat-pack, "tree": `MODE NAME NUL`, and
    /// the name as bytes; folders are sorted as if a slash stood behind their names.
    fn tree(self, entries: &[(&str, &Listed)]) -> Result<String, String> {
        let mut lines: Vec<(String, &str, &str, String)> = Vec::new();
        let mut rest = entries;
        while let Some((path, listed)) = rest.first() {
            let Some((folder, _)) = path.split_once('/') else {
                lines.push(((*path).to_owned(), path, &listed.mode, listed.object.clone()));
                rest = &rest[1..];
                continue;
            };
            let prefix = format!("{folder}/");
            let end = rest.iter().position(|(path, _)| !path.starts_with(&prefix)).unwrap_or(rest.len());
            let inside: Vec<(&str, &Listed)> =
                rest[..end].iter().map(|(path, listed)| (&path[prefix.len()..], *listed)).collect();
            lines.push((prefix, folder, "40000", self.tree(&inside)?));
            rest = &rest[end..];
        }
        lines.sort();
        let mut content = Vec::new();
        for (_, name, mode, object) in lines {
            content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            content.extend(hex::decode(&object).map_err(|_| format!("`{object}` names no object"))?);
        }
        Ok(self.name("tree", &content))
    }

    /// The name of an object of that kind. Source: gitformat-loose, "Loose object format".
    fn name(self, kind: &str, content: &[u8]) -> String {
        self.hashed(format!("{kind} {}\0", content.len()).as_bytes(), &mut &content[..])
            .expect("memory can be read")
    }

    /// The name of a file as git stores it. Source: gitformat-loose, "Loose object format": `blob SIZE NUL CONTENT`.
    fn blob(self, content: &mut dyn Read, size: u64) -> io::Result<String> {
        self.hashed(format!("blob {size}\0").as_bytes(), content)
    }

    fn hashed(self, head: &[u8], content: &mut dyn Read) -> io::Result<String> {
        let mut whole = head.chain(content);
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
