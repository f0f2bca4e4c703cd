//! What a command is told to look at: an image, named as users name it, opened where it lies.

use std::path::{Path, PathBuf};

use kiln_finding::{Class, Failure};
use kiln_image::{Image, Source};
use kiln_inventory::{CATALOG, FactCache, LayerFacts, scan_image, set_base};
use kiln_oci::{Descriptor, Digest, Index, Reference};
use kiln_pkg::Inventory;
use kiln_store::{Layout, StepCache};

use crate::context::Context;
use crate::place::Place;
use crate::platform::for_here;
use crate::{archive, registry, transfer};

/// Folder of facts about layers below the cache folder.
const FACTS: &str = "facts";

/// Source: image-spec, annotations.md.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// An image that was found.
pub(crate) struct Subject {
    /// As the user wrote it.
    pub(crate) text: String,
    /// Name without tag and digest.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) image: Image,
    /// What the name stands for: the image, or an index that lists it.
    pub(crate) root: Descriptor,
    place: Place,
}

impl Subject {
    /// Opens what [`Located::find`] finds; of an image for several platforms, the one for this machine.
    pub(crate) fn open(context: &Context, text: &str) -> Result<Self, Failure> {
        Self::of(Located::find(context, text)?, text)
    }

    /// The same, of this machine only; `None` where there is no such image here.
    pub(crate) fn open_here(context: &Context, text: &str) -> Result<Option<Self>, Failure> {
        // A name that no image can have is none.
        let found = Located::search(context, text).ok().and_then(|(found, _)| found);
        found.map(|located| Self::of(located, text)).transpose()
    }

    fn of(located: Located, text: &str) -> Result<Self, Failure> {
        let Located { place, name, tag, descriptor } = located;
        let image = Image::read(&place, &for_here(&place, &descriptor)?)?;
        Ok(Self { text: text.to_owned(), name, tag, image, root: descriptor, place })
    }

    /// What it holds; layers that were read before are not read again.
    pub(crate) fn inventory(&self, context: &Context) -> Result<Inventory, Failure> {
        inventory(&self.image, &self.place, context)
    }

    /// Where it lies.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

/// What an image holds; layers that were read before are not read again.
pub(crate) fn inventory<S: Source + Sync>(
    image: &Image,
    place: &S,
    context: &Context,
) -> Result<Inventory, Failure> {
    let cache = Facts { cache: StepCache::create(&context.cache_dir.join(FACTS))? };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut inventory = scan_image(image, place, &cache, threads)?;
    if let Some(count) = base_layers(image, context) {
        set_base(&mut inventory, count);
    }
    Ok(inventory)
}

/// How many of the image's layers are its base's, where the image names its base and the base is in kiln's store.
fn base_layers(image: &Image, context: &Context) -> Option<usize> {
    let digest = image.config.config.labels.get(BASE_DIGEST)?;
    let layout = Layout::open(&context.store()).ok()?;
    let descriptor = layout.resolve(digest).ok()??;
    let base = Image::read(&layout, &for_here(&layout, &descriptor).ok()?).ok()?;
    let (ours, its) = (&image.config.rootfs.diff_ids, &base.config.rootfs.diff_ids);
    ours.starts_with(its).then_some(its.len())
}

/// A manifest or index, and where it lies.
pub(crate) struct Located {
    pub(crate) place: Place,
    /// Name without tag and digest.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) descriptor: Descriptor,
}

impl Located {
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `docker:NAME`, an image of kiln's own store by
    /// its name, else one of a registry if the name has a host.
    /// `registry:REFERENCE` asks the registry in any case.
    pub(crate) fn find(context: &Context, text: &str) -> Result<Self, Failure> {
        if let Some(reference) = text.strip_prefix("registry:") {
            return Self::remote(context, &transfer::reference(reference)?);
        }
        match Self::search(context, text)? {
            (Some(found), _) => Ok(found),
            (None, Some(reference)) if reference.host().is_some() => Self::remote(context, &reference),
            (None, _) => Err(absent(context, text)),
        }
    }

    /// The same, of this machine only.
    pub(crate) fn here(context: &Context, text: &str) -> Result<Self, Failure> {
        Self::search(context, text)?.0.ok_or_else(|| absent(context, text))
    }

    /// In its registry.
    pub(crate) fn remote(context: &Context, reference: &Reference) -> Result<Self, Failure> {
        let repository = registry::repository(context, reference)?;
        let wanted = reference
            .digest
            .map_or_else(|| reference.tag_or_latest().to_owned(), |digest| digest.to_string());
        let missing = || {
            let what = format!("there is no image `{reference}` in its registry");
            Failure::new("kiln.no_image", Class::Usage, what)
        };
        let descriptor = repository.resolve(&wanted)?.ok_or_else(missing)?;
        let tag = reference.tag.clone().or_else(|| reference.digest.is_none().then(|| "latest".to_owned()));
        let place = Place::Registry(Box::new(repository));
        Ok(Self { place, name: reference.name.clone(), tag, descriptor })
    }

    fn search(context: &Context, text: &str) -> Result<(Option<Self>, Option<Reference>), Failure> {
        if let Some(place) = text.strip_prefix("oci:") {
            return Ok((Some(in_layout(place)?), None));
        }
        if let Some(found) = archive::locate(context, text)? {
            return Ok((Some(found), None));
        }
        let reference = transfer::reference(text)?;
        Ok((in_store(context, &reference)?, Some(reference)))
    }
}

fn in_layout(place: &str) -> Result<Located, Failure> {
    let (folder, tag) = match place.rsplit_once(':') {
        Some((folder, tag)) if !Path::new(place).is_dir() => (PathBuf::from(folder), Some(tag)),
        _ => (PathBuf::from(place), None),
    };
    let layout = Layout::open(&folder)?;
    let descriptor = match tag {
        Some(tag) => layout.resolve(tag)?,
        None => only_entry(&folder)?,
    };
    let descriptor = descriptor.ok_or_else(|| {
        let near = tag.and_then(|tag| meant(&layout, tag));
        let help = near.unwrap_or_else(|| "name one of its images: oci:DIR:TAG".to_owned());
        not_found(&format!("oci:{place}")).with_help(help)
    })?;
    let name =
        folder.file_name().map_or_else(|| "image".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(Located { place: Place::Layout(layout), name, tag: tag.map(str::to_owned), descriptor })
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

fn in_store(context: &Context, reference: &Reference) -> Result<Option<Located>, Failure> {
    let layout = context.layout()?;
    let name = reference.digest.map_or_else(|| reference.name_and_tag(), |digest| digest.to_string());
    let Some(descriptor) = layout.resolve(&name)? else { return Ok(None) };
    let tag = Some(reference.tag_or_latest().to_owned());
    Ok(Some(Located { place: Place::Layout(layout), name: reference.name.clone(), tag, descriptor }))
}

fn absent(context: &Context, text: &str) -> Failure {
    let near = context.layout().ok().and_then(|layout| meant(&layout, text));
    let otherwise =
        "build or pull it first, name an OCI layout (oci:DIR[:TAG]), or name it with its registry's host";
    not_found(text).with_help(near.unwrap_or_else(|| otherwise.to_owned()))
}

/// The image of a layout that was probably meant.
pub(crate) fn meant(layout: &Layout, text: &str) -> Option<String> {
    let names: Vec<String> = layout.entries().ok()?.into_iter().filter_map(|entry| entry.name).collect();
    // Without a tag, all tags are near.
    let near = names.iter().find(|name| name.rsplit_once(':').is_some_and(|(name, _)| name == text));
    near.map(|name| format!("did you mean `{name}`?"))
        .or_else(|| kiln_finding::did_you_mean(text, names.iter().map(String::as_str)))
}

fn not_found(text: &str) -> Failure {
    Failure::new("kiln.no_image", Class::Usage, format!("there is no image `{text}` here"))
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
