use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use kiln_finding::{Class, Diagnose};
use kiln_oci::{Descriptor, Digest, Index, Manifest, media_type};

use crate::error::ErrorKind;
use crate::port::read_small;
use crate::{Error, Sink, Source};

/// How deep indexes may lie in indexes, and referrers refer to referrers.
const DEPTH_MAX: usize = 4;
/// How many manifests one copy may have.
const MANIFESTS_MAX: usize = 10_000;
/// How often a blob is sent when the other side fails in a way that may pass.
const ATTEMPTS: usize = 3;

/// How to copy.
#[derive(Clone, Copy)]
pub struct CopyOptions<'a> {
    /// Blobs on their way at the same time.
    pub threads: usize,
    /// Takes along what refers to the image: signatures, statements, and what refers to those.
    pub referrers: bool,
    /// Called with the number of bytes whenever some have passed.
    pub on_bytes: Option<&'a (dyn Fn(u64) + Sync)>,
}

impl Default for CopyOptions<'_> {
    fn default() -> Self {
        Self { threads: 4, referrers: false, on_bytes: None }
    }
}

/// What a copy did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Manifests and indexes.
    pub manifests: usize,
    /// How many of them came along because they refer to another.
    pub referrers: usize,
    /// Blobs that were sent.
    pub blobs: usize,
    /// Blobs that were there already.
    pub present: usize,
    /// Bytes of the blobs that were sent.
    pub bytes: u64,
    /// Of what may refer to the image and is not known, and so did not come: what it is, and why.
    pub unknown: Vec<String>,
}

/// Copies a manifest or an index with everything it points to, then publishes it.
pub fn copy<S, T>(source: &S, sink: &T, root: &Descriptor, tag: Option<&str>) -> Result<(), Error>
where
    S: Source + Sync + ?Sized,
    T: Sink + Sync + ?Sized,
{
    copy_with(source, sink, root, tag, &CopyOptions::default()).map(drop)
}

/// Copies a manifest or an index with everything it points to, then publishes it. Blobs that are there are not
/// sent again, and nothing gets its name before everything is there.
pub fn copy_with<S, T>(
    source: &S,
    sink: &T,
    root: &Descriptor,
    tag: Option<&str>,
    options: &CopyOptions<'_>,
) -> Result<Copied, Error>
where
    S: Source + Sync + ?Sized,
    T: Sink + Sync + ?Sized,
{
    let mut walk = Walk { source, found: Found::default() };
    walk.manifest(root, 0)?;
    let images = walk.found.manifests.len();
    if options.referrers {
        walk.referrers()?;
    }
    let found = walk.found;
    let mut copied = copy_blobs(source, sink, &found.blobs.into_values().collect::<Vec<_>>(), options)?;
    copied.manifests = found.manifests.len();
    copied.referrers = found.manifests.len() - images;
    copied.unknown = found.unknown;
    for (at, (manifest, bytes)) in found.manifests.iter().enumerate() {
        let failed = |error| Error::port(format!("write the manifest {}", manifest.digest), error);
        sink.put(manifest, &mut &bytes[..]).map_err(failed)?;
        if at >= images {
            sink.publish(manifest, None).map_err(failed)?;
        }
    }
    sink.publish(root, tag)
        .map_err(|error| Error::port(format!("publish the manifest {}", root.digest), error))?;
    Ok(copied)
}

/// What a copy is made of.
#[derive(Default)]
struct Found {
    /// Each after what it points to; those of the image before those of its referrers.
    manifests: Vec<(Descriptor, Vec<u8>)>,
    blobs: BTreeMap<Digest, Descriptor>,
    seen: BTreeSet<Digest>,
    /// What of the lists of referrers is not known.
    unknown: Vec<String>,
}

struct Walk<'a, S: ?Sized> {
    source: &'a S,
    found: Found,
}

impl<S: Source + ?Sized> Walk<'_, S> {
    fn manifest(&mut self, content: &Descriptor, depth: usize) -> Result<(), Error> {
        let digest = content.digest;
        if !self.found.seen.insert(digest) {
            return Ok(());
        }
        if depth > DEPTH_MAX || self.found.seen.len() > MANIFESTS_MAX {
            let why = format!("is one of more than {MANIFESTS_MAX}, or lies deeper than {DEPTH_MAX} indexes");
            return Err(ErrorKind::Unfit { what: "manifest", digest, why }.into());
        }
        let bytes = read_small(self.source, "manifest", content)?;
        let malformed = |source| ErrorKind::Document { what: "manifest", digest, source };
        if media_type::is_index(&content.media_type) {
            let index: Index = serde_json::from_slice(&bytes).map_err(malformed)?;
            for child in &index.manifests {
                if media_type::is_index(&child.media_type) || media_type::is_manifest(&child.media_type) {
                    self.manifest(child, depth + 1)?;
                } else {
                    self.found.blobs.insert(child.digest, child.clone());
                }
            }
        } else if media_type::is_manifest(&content.media_type) {
            let manifest: Manifest = serde_json::from_slice(&bytes).map_err(malformed)?;
            for blob in std::iter::once(manifest.config).chain(manifest.layers) {
                self.found.blobs.insert(blob.digest, blob);
            }
        } else {
            let why = format!("is a {:?}, which cannot be copied", content.media_type);
            return Err(ErrorKind::Unfit { what: "manifest", digest, why }.into());
        }
        self.found.manifests.push((content.clone(), bytes));
        Ok(())
    }

    /// What refers to any of the manifests found so far, and what refers to that.
    fn referrers(&mut self) -> Result<(), Error> {
        let mut from = 0;
        for depth in 0..DEPTH_MAX {
            let subjects: Vec<Digest> =
                self.found.manifests[from..].iter().map(|(manifest, _)| manifest.digest).collect();
            from = self.found.manifests.len();
            for subject in subjects {
                let failed = |error| Error::port(format!("list what refers to {subject}"), error);
                let listed = self.source.referrers(&subject).map_err(failed)?;
                self.found.unknown.extend(listed.unknown);
                for referrer in listed.found {
                    self.manifest(&referrer, depth)?;
                }
            }
        }
        Ok(())
    }
}

/// Sends what is missing, several blobs at a time; the error is that of the first blob in order.
fn copy_blobs<S, T>(
    source: &S,
    sink: &T,
    blobs: &[Descriptor],
    options: &CopyOptions<'_>,
) -> Result<Copied, Error>
where
    S: Source + Sync + ?Sized,
    T: Sink + Sync + ?Sized,
{
    let next = AtomicUsize::new(0);
    let (sent, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let lock = || failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, blobs.len().max(1)) {
            scope.spawn(|| {
                while lock().is_none() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(blob) = blobs.get(index) else { return };
                    match copy_blob(source, sink, blob, options) {
                        Ok(false) => {}
                        Ok(true) => {
                            sent.fetch_add(1, Ordering::Relaxed);
                            bytes.fetch_add(blob.size, Ordering::Relaxed);
                        }
                        Err(error) => {
                            let mut failure = lock();
                            if failure.as_ref().is_none_or(|(first, _)| index < *first) {
                                *failure = Some((index, error));
                            }
                        }
                    }
                }
            });
        }
    });
    if let Some((_, error)) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let blobs_sent = sent.into_inner();
    Ok(Copied {
        blobs: blobs_sent,
        present: blobs.len() - blobs_sent,
        bytes: bytes.into_inner(),
        ..Copied::default()
    })
}

/// Whether the blob had to be sent.
fn copy_blob<S, T>(
    source: &S,
    sink: &T,
    content: &Descriptor,
    options: &CopyOptions<'_>,
) -> Result<bool, Error>
where
    S: Source + ?Sized,
    T: Sink + ?Sized,
{
    let digest = content.digest;
    let failed = |error| Error::port(format!("write the blob {digest}"), error);
    if sink.has(content).map_err(failed)? {
        return Ok(false);
    }
    let mut attempt = 1;
    loop {
        let bytes = source
            .open_unchecked(content)
            .map_err(|error| Error::port(format!("open the blob {digest}"), error))?;
        match sink.put(content, &mut Counted { bytes, report: options.on_bytes }) {
            Ok(()) => return Ok(true),
            Err(error) if attempt < ATTEMPTS && error.class() == (Class::Remote { transient: true }) => {
                attempt += 1;
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Reports the bytes that pass.
struct Counted<'a, R> {
    bytes: R,
    report: Option<&'a (dyn Fn(u64) + Sync)>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if let Some(report) = self.report {
            report(count as u64);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
