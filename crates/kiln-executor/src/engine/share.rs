//! Results of steps on their way between machines: `--cache-to` and `--cache-from`.
//!
//! A cache is an OCI artifact: its config lists steps and what they made, its layers are what they made. Whoever can
//! write to it decides what builds find, as with every builder's cache.

use std::collections::BTreeMap;

use kiln_build::engine::Shared;
use kiln_finding::{Class, Failure};
use kiln_image::{PackedLayer, Source, read_small};
use kiln_images::{Along, CopyTarget, Located, Machine, Place, Prefer, deliver};
use kiln_oci::{Descriptor, Digest, Manifest, media_type};
use kiln_store::Layout;
use serde::{Deserialize, Serialize};

use super::layer_store::LayerStore;

/// What kind of artifact a cache is, and the type of its config.
const CACHE: &str = "application/vnd.kiln.cache.v1+json";
/// Grows when keys or the config mean something else.
const VERSION: u32 = 1;

/// The config of a cache.
#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// How its layers were written; they serve builds that would write them alike.
    mtime: u64,
    compression: kiln_image::Compression,
    /// What each step made; nothing where it changed nothing.
    steps: BTreeMap<Digest, Option<PackedLayer>>,
    /// Facts about results, by the key they are noted under.
    facts: BTreeMap<Digest, String>,
}

/// The place that a cache is to be written to.
pub(super) fn target(text: &str, machine: &Machine) -> Result<CopyTarget, Failure> {
    CopyTarget::open(machine, text, "cache", None)
}

/// Writes everything that a build knows to a place.
pub(super) fn export(
    target: CopyTarget,
    shared: Shared,
    store: &LayerStore<'_>,
    layout: &Layout,
) -> Result<(), Failure> {
    let layers: BTreeMap<Digest, Descriptor> = shared
        .steps
        .values()
        .flatten()
        .map(|layer| (layer.descriptor.digest, layer.descriptor.clone()))
        .collect();
    let contents = Contents {
        version: VERSION,
        mtime: store.mtime,
        compression: store.compression,
        steps: shared.steps,
        facts: shared.facts,
    };
    let bytes = serde_json::to_vec(&contents).expect("a cache is texts and numbers");
    layout.put_bytes(&bytes)?;
    let mut manifest = Manifest::image(Descriptor::of(CACHE, &bytes), layers.into_values().collect());
    manifest.artifact_type = Some(CACHE.to_owned());
    let bytes = manifest.to_bytes();
    layout.put_bytes(&bytes)?;
    let descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
    deliver(&Place::Layout(layout.clone()), &descriptor, target, Along::default(), &|_| {})?;
    Ok(())
}

/// Makes what a place holds known to this build. Layers stay there until they are needed.
pub(super) fn import(text: &str, store: &mut LayerStore<'_>, machine: &Machine) -> Result<usize, Failure> {
    let Located { place, descriptor, .. } = Located::find(machine, text, Prefer::Here)?;
    let contents = read(text, &place, &descriptor)?;
    if (contents.mtime, contents.compression) != (store.mtime, store.compression) {
        return Ok(0);
    }
    let count = contents.steps.len();
    for (key, fact) in contents.facts {
        store.facts.lend(key, fact.into_bytes());
    }
    for (key, layer) in &contents.steps {
        match layer {
            Some(layer) => store.borrow(key, layer),
            None => store.facts.lend(kiln_build::engine::empty_key(key), Vec::new()),
        }
    }
    store.add_remote(place, contents.steps.into_values().flatten());
    Ok(count)
}

fn read(text: &str, place: &Place, descriptor: &Descriptor) -> Result<Contents, Failure> {
    let failed = |cause: String| {
        Failure::new("build.cache", Class::Content, format!("use the build cache {text}")).with_cause(cause)
    };
    let bytes = read_small(place as &dyn Source<Error = kiln_finding::Cause>, "manifest", descriptor)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if manifest.config.media_type != CACHE {
        return Err(failed("it is no build cache of kiln's".to_owned()));
    }
    let bytes = read_small(place as &dyn Source<Error = kiln_finding::Cause>, "config", &manifest.config)?;
    let contents: Contents = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if contents.version == VERSION {
        Ok(contents)
    } else {
        Err(failed("another version of kiln wrote it".to_owned()))
    }
}
