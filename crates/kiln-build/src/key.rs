use std::io;

use kiln_oci::{Digest, Hasher};
use kiln_rootfs::{Kind, RootPath, Tree};

/// A cache key in the making. Every field goes in with its name and its length, so no two lists of fields have the
/// same bytes.
#[derive(Clone)]
pub struct Key(Hasher);

/// Grows when the meaning of any key, or what is made under it, changes.
const VERSION: &str = "kiln-build 1";

impl Key {
    /// Starts the key of a result of this kind.
    pub fn new(kind: &str) -> Self {
        Self(Hasher::default()).field("version", VERSION).field("kind", kind)
    }

    /// Takes in a field.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.add(name, value);
        self
    }

    /// The same, in place.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        for part in [name.as_bytes(), value.as_ref()] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// Takes in a list of texts.
    pub fn list<T: AsRef<[u8]>>(self, name: &str, values: impl ExactSizeIterator<Item = T>) -> Self {
        let key = self.field(name, values.len().to_string());
        values.fold(key, |key, value| key.field("item", value))
    }

    /// The key.
    pub fn finish(self) -> Digest {
        self.0.finish().0
    }
}

/// Digest of everything in a tree: paths, permissions, owners, links, content. Times do not count.
/// The error names the file that could not be read.
pub fn tree_digest(tree: &Tree) -> Result<Digest, (RootPath, io::Error)> {
    let mut key = Key::new("tree");
    for (path, entry) in tree.iter() {
        let attrs = &entry.attrs;
        key = key
            .field("path", path.as_str())
            .field("attrs", format!("{:o} {} {}", attrs.mode, attrs.uid, attrs.gid));
        key = match &entry.kind {
            Kind::Dir => key.field("dir", ""),
            Kind::Symlink(target) => key.field("symlink", target),
            Kind::Hardlink(target) => key.field("hardlink", target.as_str()),
            Kind::File(content) => {
                let mut hasher = kiln_oci::HashingWriter::new(io::sink());
                let copied = content.open().and_then(|mut bytes| io::copy(&mut bytes, &mut hasher));
                copied.map_err(|error| (path.clone(), error))?;
                key.field("file", hasher.finish().1.as_bytes())
            }
        };
    }
    Ok(key.finish())
}
