mod belief;
mod ingest;
mod naming;
mod refused;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use kiln_disk::{Durability, Holding, Lock};
use kiln_image::{Listed, Sink, Source};
use kiln_oci::{Descriptor, Digest, Index, media_type};

use crate::Error;
use crate::checked::CheckedReader;
use crate::error::ErrorKind;
use crate::index::{self, REF_NAME, bare, fallback_tag};
use crate::output::replace_in;
use crate::saved;
use belief::{Belief, Guarded};
pub use belief::{Condition, OnDamage};
pub use ingest::Ingest;
pub use refused::Refused;

/// How much of a blob is on its way at once.
const BUFFER: usize = 256 << 10;
const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// An OCI layout on disk: `oci-layout`, `index.json`, `blobs/sha256/<hex>`. Source: image-spec, image-layout.md.
///
/// Any number of processes may read and write one layout at the same time.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
    durability: Durability,
    belief: Belief,
}

/// A manifest that the layout knows by name.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The name, as it was published.
    pub name: String,
    /// The manifest.
    pub manifest: Descriptor,
}

impl Layout {
    /// Opens the layout in `folder`, which is made where it is missing.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        Self::made(Self::at(folder))
    }

    /// The same, and what was right once is not hashed again: for a layout that nobody else writes to. What turns out wrong is
    /// moved to `damaged/`, and `on_damage` is told. What killed processes left in `ingest/` is for its user to sweep.
    pub fn keep(folder: &Path, on_damage: OnDamage) -> Result<Self, Error> {
        Self::made(Self { belief: Belief::Checked(on_damage), ..Self::at(folder) })
    }

    fn made(layout: Self) -> Result<Self, Error> {
        let folder = &layout.folder;
        let blobs = layout.blobs();
        if let Belief::Nothing = layout.belief {
            layout.refuse_links()?;
        }
        kiln_disk::own::folder(&blobs).map_err(Error::io("create the folder", &blobs))?;
        let marker = folder.join("oci-layout");
        if !marker.exists() {
            replace_in(folder, &marker, LAYOUT, Durability::Power)?;
        }
        if !folder.join("index.json").exists() {
            index::update(folder, layout.durability, |_| {})?;
        }
        if let Belief::Nothing = layout.belief {
            Ingest::sweep(&layout.ingest_folder());
        }
        Ok(layout)
    }

    /// A layout that the user names may be made by somebody else: what is written to it goes into it.
    fn refuse_links(&self) -> Result<(), Error> {
        let inside = ["blobs", "blobs/sha256", "ingest"].map(|name| self.folder.join(name));
        match inside.into_iter().find(|path| path.is_symlink()) {
            None => Ok(()),
            Some(path) => {
                let why = io::Error::other("a symbolic link is in the way; name the folder that it leads to");
                Err(Error::io("write to", &path)(why))
            }
        }
    }

    /// Opens the layout in `folder`, which must be one.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if folder.join("oci-layout").is_file() && folder.join("index.json").is_file() {
            return Ok(Self::at(folder));
        }
        Err(ErrorKind::NoLayout(folder.to_owned()).into())
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), durability: Durability::Power, belief: Belief::Nothing }
    }

    /// The same, without waiting for the disk whenever something gets a name. What a power failure cuts short is noticed when it is
    /// read, by its digest.
    pub fn unhurried(self) -> Self {
        Self { durability: Durability::Process, ..self }
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the blob lies, whether or not it is there.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Starts a blob whose digest is not known yet.
    pub fn ingest(&self) -> Result<Ingest, Error> {
        Ingest::start(&self.ingest_folder(), self)
    }

    /// Takes in a small document.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        self.put(&Descriptor::new("", digest, bytes.len() as u64), &mut &bytes[..])?;
        Ok(digest)
    }

    /// Writes a file beside the layout so that readers see the old or the new one, whole, even after a power failure.
    pub fn replace_beside(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        replace_in(&self.folder, path, bytes, Durability::Power)
    }

    /// All manifests with a name, sorted by it.
    pub fn named(&self) -> Result<Vec<Stored>, Error> {
        let name = |entry: Descriptor| {
            Some(Stored { name: entry.annotations.get(REF_NAME)?.clone(), manifest: bare(entry) })
        };
        Ok(index::read(&self.folder)?.manifests.into_iter().filter_map(name).collect())
    }

    /// Publishes under a name for this layout and, for containerd, under the full name of the image.
    pub fn publish_as(&self, manifest: &Descriptor, name: &str, full_name: &str) -> Result<(), Error> {
        index::update(&self.folder, self.durability, |index| {
            index::place(index, manifest, Some(name), Some(full_name), self.naming());
        })
    }

    /// Held from the look at what is attached to an image until what is missing is attached, so that two who ship the same
    /// image at the same time do not both attach it. It has nothing to do with the lock of the index.
    pub fn lock_attaching(&self) -> Result<Lock, Error> {
        let path = self.folder.join(".attaching.lock");
        Lock::wait(&path, Holding::Alone).map_err(Error::io("lock", &path))
    }

    /// Lists the referrers of `subject` in an index under the tag `sha256-<hex>`, where tools look that copy a layout
    /// to a registry. Source: distribution-spec, "Referrers Tag Schema".
    pub fn tag_referrers(&self, subject: &Digest) -> Result<(), Error> {
        let manifests = self.referrers(subject)?.found;
        if manifests.is_empty() {
            return Ok(());
        }
        let bytes = Index { manifests, ..Index::default() }.to_bytes();
        self.put_bytes(&bytes)?;
        self.publish(&Descriptor::of(media_type::INDEX, &bytes), Some(&fallback_tag(subject)))
    }

    fn file(&self, content: &Descriptor) -> Result<File, Error> {
        let path = self.blob_path(&content.digest);
        kiln_disk::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::Missing(content.digest).into(),
            _ => Error::io("open", &path)(error),
        })
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.join("blobs/sha256")
    }

    pub(crate) fn belief(&self) -> &Belief {
        &self.belief
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn ingest_folder(&self) -> PathBuf {
        self.folder.join("ingest")
    }
}

/// The one image whose digest begins so, with no fewer digits than [`Digest::short`] has: `sha256:f5e9afac9e61`, or the digits alone.
fn by_short_digest(entries: &[Descriptor], text: &str) -> Option<Descriptor> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let mut found = entries.iter().filter(|entry| {
        let digest = entry.digest.hex();
        digest.starts_with(digits) && digits.len() >= entry.digest.short().len()
    });
    let first = found.next()?;
    // An image is listed once for each of its names.
    found.all(|other| other.digest == first.digest).then(|| first.clone())
}

impl Source for Layout {
    type Error = Error;

    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        let entries = index::read(&self.folder)?.manifests;
        let found = match tag.parse::<Digest>() {
            Ok(digest) => entries.into_iter().find(|entry| entry.digest == digest),
            Err(_) => self.entry(&entries, tag).or_else(|| by_short_digest(&entries, tag)),
        };
        Ok(found.map(bare))
    }

    fn resolve_all(&self, tag: &str) -> Result<Listed, Error> {
        let mut found = Vec::from_iter(self.resolve(tag)?);
        found.extend(saved::tagged(&index::read(&self.folder)?.manifests, tag));
        Ok(found.into())
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Error> {
        let input = CheckedReader::new(self.file(content)?, content);
        Ok(Box::new(Guarded { input, layout: self, digest: content.digest }))
    }

    fn open_unchecked(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Error> {
        if let (Belief::Checked(_), Condition::Damaged) = (&self.belief, self.check(&content.digest)?) {
            return Err(ErrorKind::Missing(content.digest).into());
        }
        Ok(Box::new(self.file(content)?))
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Error> {
        let entries = index::read(&self.folder)?.manifests;
        let name = |entry: &Descriptor| entry.annotations.get(REF_NAME).cloned();
        let blobs = || Ok(self.blobs_here()?.into_iter().map(|blob| (blob.digest, blob.size)).collect());
        let Listed { found: unlisted, unknown } = saved::unlisted(&entries, blobs)?;
        let unnamed = entries.iter().filter(|entry| name(entry).is_none()).chain(&unlisted);
        let list = entries.iter().find(|entry| name(entry) == Some(fallback_tag(digest)));
        let mut listed = index::referrers(self, unnamed, list, digest);
        listed.unknown.extend(unknown);
        Ok(listed)
    }
}

impl Sink for Layout {
    type Error = Error;

    fn has(&self, content: &Descriptor) -> Result<bool, Error> {
        Ok(self.check(&content.digest)? == Condition::Right(content.size))
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Error> {
        if self.has(content)? {
            return Ok(());
        }
        let mut ingest = self.ingest()?;
        // One byte too many is enough to see that there are too many.
        let mut bytes = BufReader::with_capacity(BUFFER, bytes.take(content.size.saturating_add(1)));
        io::copy(&mut bytes, &mut ingest)
            .map_err(|source| ErrorKind::Content { digest: content.digest, source })?;
        ingest.commit(Some((content.digest, content.size)))?;
        Ok(())
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Error> {
        let naming = self.naming();
        index::update(&self.folder, self.durability, |index| index::place(index, manifest, tag, None, naming))
    }
}
