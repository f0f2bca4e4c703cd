//! What images hold, kept by layer.

use kiln_finding::Failure;
use kiln_image::{Image, Source};
use kiln_images::{Machine, for_here};
use kiln_inventory::{CATALOG, FactCache, LayerFacts, scan_image, set_base};
use kiln_oci::Digest;
use kiln_pkg::Inventory;
use kiln_store::{Layout, StepCache};

/// Folder of facts about layers below the cache folder.
const FACTS: &str = "facts";

/// Source: image-spec, annotations.md.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// What an image holds; layers that were read before are not read again.
pub fn inventory<S: Source + Sync>(
    image: &Image,
    place: &S,
    machine: &Machine,
) -> Result<Inventory, Failure> {
    let cache = Facts { cache: StepCache::create(&machine.cache_dir.join(FACTS))? };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut inventory = scan_image(image, place, &cache, threads)?;
    if let Some(count) = base_layers(image, machine) {
        set_base(&mut inventory, count);
    }
    Ok(inventory)
}

/// How many of the image's layers are its base's, where the image names its base and the base is in kiln's store.
fn base_layers(image: &Image, machine: &Machine) -> Option<usize> {
    let digest = image.config.config.labels.get(BASE_DIGEST)?;
    let layout = Layout::open(&machine.store()).ok()?;
    let descriptor = layout.resolve(digest).ok()??;
    let base = Image::read(&layout, &for_here(&layout, &descriptor).ok()?).ok()?;
    let (ours, its) = (&image.config.rootfs.diff_ids, &base.config.rootfs.diff_ids);
    ours.starts_with(its).then_some(its.len())
}

/// Facts about layers in the cache folder. What cannot be read or written there is worked out again.
struct Facts {
    cache: StepCache,
}

impl Facts {
    fn key(layer: &Digest) -> Digest {
        Digest::of(format!("facts {CATALOG} {layer}").as_bytes())
    }
}

impl FactCache for Facts {
    fn get(&self, layer: &Digest) -> Option<LayerFacts> {
        let bytes = self.cache.get(&Self::key(layer)).ok()??;
        LayerFacts::from_bytes(&bytes).filter(|facts| facts.digest == *layer)
    }

    fn put(&self, facts: &LayerFacts) {
        drop(self.cache.put(&Self::key(&facts.digest), &facts.to_bytes()));
    }
}
