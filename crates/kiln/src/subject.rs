//! What a command is told to look at: an image, named as users name it, opened where it lies.

use std::path::{Path, PathBuf};

use kiln_finding::Class;
use kiln_image::{Image, Source};
use kiln_inventory::{CATALOG, FactCache, LayerFacts, scan_image};
use kiln_oci::{Arch, Descriptor, Digest, Index, Reference, media_type};
use kiln_pkg::Inventory;
use kiln_store::{Layout, StepCache};

use crate::context::Context;
use crate::failure::Failure;

/// Folder of kiln's own store below the data folder.
const STORE: &str = "store";
/// Folder of facts about layers below the cache folder.
const FACTS: &str = "facts";

/// An image that was found.
pub(crate) struct Subject {
    /// As the user wrote it.
    pub(crate) text: String,
    /// Name without tag and digest.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) image: Image,
    layout: Layout,
}

impl Subject {
    /// Opens `oci:DIR[:TAG]`, or an image of kiln's own store by its name.
    pub(crate) fn open(context: &Context, text: &str) -> Result<Self, Failure> {
        let (layout, name, tag, descriptor) = match text.strip_prefix("oci:") {
            Some(place) => in_layout(place)?,
            None => in_store(context, text)?,
        };
        let image = Image::read(&layout, &one_platform(&layout, &descriptor)?)?;
        Ok(Self { text: text.to_owned(), name, tag, image, layout })
    }

    /// What it holds; layers that were read before are not read again.
    pub(crate) fn inventory(&self, context: &Context) -> Result<Inventory, Failure> {
        inventory(&self.image, &self.layout, context)
    }

    /// The layout it lies in.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// What an image holds; layers that were read before are not read again.
pub(crate) fn inventory(image: &Image, layout: &Layout, context: &Context) -> Result<Inventory, Failure> {
    let cache = Facts { cache: StepCache::create(&context.cache_dir.join(FACTS))? };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(scan_image(image, layout, &cache, threads)?)
}

type Found = (Layout, String, Option<String>, Descriptor);

fn in_layout(place: &str) -> Result<Found, Failure> {
    let (folder, tag) = match place.rsplit_once(':') {
        Some((folder, tag)) if !Path::new(place).is_dir() => (PathBuf::from(folder), Some(tag)),
        _ => (PathBuf::from(place), None),
    };
    let layout = Layout::open(&folder)?;
    let descriptor = match tag {
        Some(tag) => layout.resolve(tag)?,
        None => only_entry(&folder)?,
    };
    let descriptor = descriptor
        .ok_or_else(|| not_found(&format!("oci:{place}")).with_help("name one of its images: oci:DIR:TAG"))?;
    let name =
        folder.file_name().map_or_else(|| "image".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok((layout, name, tag.map(str::to_owned), descriptor))
}

/// The only image of a layout; `None` where there are several.
fn only_entry(folder: &Path) -> Result<Option<Descriptor>, Failure> {
    let path = folder.join("index.json");
    let failed = |cause: String| {
        Failure::new("kiln.layout", Class::Content, format!("read {}", path.display())).with_cause(cause)
    };
    let bytes = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
    let mut index: Index = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    Ok(if index.manifests.len() == 1 { index.manifests.pop() } else { None })
}

fn in_store(context: &Context, text: &str) -> Result<Found, Failure> {
    let reference: Reference = text.parse().map_err(|error| {
        Failure::usage(format!("read the image name `{text}`")).with_cause(format!("{error}"))
    })?;
    let layout = Layout::create(&context.data_dir.join(STORE))?;
    let name = reference.digest.map_or_else(|| reference.name_and_tag(), |digest| digest.to_string());
    let found = layout
        .resolve(&name)?
        .ok_or_else(|| not_found(text).with_help("build it first, or name an OCI layout: oci:DIR[:TAG]"))?;
    Ok((layout, reference.name.clone(), Some(reference.tag_or_latest().to_owned()), found))
}

fn not_found(text: &str) -> Failure {
    Failure::new("kiln.no_image", Class::Usage, format!("there is no image `{text}` here"))
}

/// Of an image for several platforms, the one for this machine; for others, amd64.
fn one_platform(layout: &Layout, descriptor: &Descriptor) -> Result<Descriptor, Failure> {
    if !media_type::is_index(&descriptor.media_type) {
        return Ok(descriptor.clone());
    }
    let bytes = kiln_image::read_small(layout, "index", descriptor)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new("kiln.layout", Class::Content, format!("read the index {}", descriptor.digest))
            .with_cause(error.to_string())
    })?;
    let wanted = Arch::host().unwrap_or(Arch::Amd64).as_str();
    let runs_here = |entry: &&Descriptor| {
        entry
            .platform
            .as_ref()
            .is_some_and(|platform| platform.os == "linux" && platform.architecture == wanted)
    };
    index.manifests.iter().find(runs_here).cloned().ok_or_else(|| {
        Failure::new(
            "kiln.no_platform",
            Class::Usage,
            format!("{} holds no image for linux/{wanted}", descriptor.digest),
        )
    })
}

/// Facts about layers in the cache folder. What cannot be read or written there is worked out again.
struct Facts {
    cache: StepCache,
}

impl Facts {
    fn key(diff_id: &Digest) -> Digest {
        Digest::of(format!("facts {CATALOG} {diff_id}").as_bytes())
    }
}

impl FactCache for Facts {
    fn get(&self, diff_id: &Digest) -> Option<LayerFacts> {
        let bytes = self.cache.get(&Self::key(diff_id)).ok()??;
        let facts: LayerFacts = serde_json::from_slice(&bytes).ok()?;
        (facts.catalog == CATALOG && facts.diff_id == *diff_id).then_some(facts)
    }

    fn put(&self, facts: &LayerFacts) {
        if let Ok(bytes) = serde_json::to_vec(facts) {
            drop(self.cache.put(&Self::key(&facts.diff_id), &bytes));
        }
    }
}
