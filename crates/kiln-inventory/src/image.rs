use std::cell::RefCell;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln_finding::Diagnose;
use kiln_image::{Image, Source};
use kiln_oci::{Descriptor, Digest, HashingReader};
use kiln_pkg::{Inventory, Unread};
use kiln_rootfs::{LayerReader, Limits, decompress};

use crate::error::ErrorKind;
use crate::{Error, LayerFacts, combine, layers, scan_layer, secrets_in_config};

/// Where facts about layers are kept. A cache that loses or cannot keep something only costs time.
pub trait FactCache: Sync {
    /// The facts stored for a layer by the digest of its bytes as they lie there, of this catalog ([`crate::CATALOG`]).
    fn get(&self, layer: &Digest) -> Option<LayerFacts>;

    /// Keeps facts, by [`LayerFacts::digest`].
    fn put(&self, facts: &LayerFacts);
}

/// Keeps nothing.
pub struct NoCache;

impl FactCache for NoCache {
    fn get(&self, _: &Digest) -> Option<LayerFacts> {
        None
    }

    fn put(&self, _: &LayerFacts) {}
}

/// Reads what `image` holds: each layer once, on up to `threads` threads, and not at all where `cache` knows it.
pub fn scan_image<S: Source + Sync + ?Sized>(
    image: &Image,
    source: &S,
    cache: &dyn FactCache,
    threads: usize,
) -> Result<Inventory, Error> {
    let layers: Vec<(&Descriptor, Digest)> =
        image.manifest.layers.iter().zip(image.config.rootfs.diff_ids.iter().copied()).collect();
    // What is known is here sooner than a thread.
    let mut known: Vec<Option<LayerFacts>> =
        layers.iter().map(|(layer, _)| cache.get(&layer.digest)).collect();
    let unknown: Vec<usize> = (0..layers.len()).filter(|at| known[*at].is_none()).collect();
    for (at, facts) in read_layers(&layers, &unknown, source, cache, threads) {
        known[at] = Some(facts?);
    }
    let named = |(facts, (_, diff_id)): (LayerFacts, &(_, Digest))| LayerFacts { digest: *diff_id, ..facts };
    let facts: Vec<LayerFacts> = known.into_iter().flatten().zip(&layers).map(named).collect();
    let mut inventory = combine(&facts)?;
    inventory.unread.extend(facts.iter().zip(&layers).filter_map(|(facts, (layer, _))| lie(facts, layer)));
    inventory.unread.sort();
    inventory.secrets.extend(secrets_in_config(&image.config));
    inventory.secrets.sort();
    inventory.layers = layers::layers(&image.config);
    layers::set_origins(&mut inventory);
    Ok(inventory)
}

/// The facts of the layers at these places of `layers`, in their order.
fn read_layers<S: Source + Sync + ?Sized>(
    layers: &[(&Descriptor, Digest)],
    wanted: &[usize],
    source: &S,
    cache: &dyn FactCache,
    threads: usize,
) -> Vec<(usize, Result<LayerFacts, Error>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&at) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (layer, _) = layers[at];
            done.push((at, facts(layer, source, cache)));
        }
        done
    };
    let mut results = std::thread::scope(|scope| {
        // This thread is one of them: one layer needs no other.
        let others = threads.min(wanted.len()).saturating_sub(1);
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for worker in others {
            results.extend(worker.join().expect("scanning does not panic"));
        }
        results
    });
    results.sort_by_key(|(at, _)| *at);
    results
}

/// What a configuration says of a layer that is not so. What is found in the layer is right nonetheless: nothing is kept under a diff
/// id, or believed for one.
fn lie(facts: &LayerFacts, layer: &Descriptor) -> Option<Unread> {
    (facts.content != facts.digest).then(|| Unread {
        path: layer.digest.to_string(),
        reader: "layer".to_owned(),
        why: format!(
            "the configuration says that its content is {}, and it is {}",
            facts.digest, facts.content
        ),
    })
}

/// What the layer holds. The source holds its bytes to the digest in the manifest, which the image's own digest covers.
fn facts<S: Source + ?Sized>(
    layer: &Descriptor,
    source: &S,
    cache: &dyn FactCache,
) -> Result<LayerFacts, Error> {
    let open = |error: S::Error| ErrorKind::Open {
        layer: layer.digest,
        class: error.class(),
        source: Box::new(error),
    };
    let broken = |source| ErrorKind::Decompress { layer: layer.digest, source };
    let content = RefCell::new(source.open(layer).map_err(open)?);
    let plain = HashingReader::new(decompress(Shared(&content)).map_err(broken)?);
    let mut reader = LayerReader::new(plain, Limits::default());
    let facts = scan_layer(&mut reader, layer.digest)?;
    let plain = reader.drain().map_err(|source| ErrorKind::Layer { layer: layer.digest, source })?;
    let (rest, content_digest, _) = plain.finish();
    drop(rest);
    let facts = LayerFacts { content: content_digest, ..facts };
    // The digest is known at the end, and not every compression ends where its bytes do.
    io::copy(&mut Shared(&content), &mut io::sink()).map_err(broken)?;
    cache.put(&facts);
    Ok(facts)
}

/// Bytes that are read by a decompressor, and to their end after it.
struct Shared<'a, R>(&'a RefCell<R>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}
