//! Images for several platforms.

use kiln_attest::attached;
use kiln_finding::{Class, Failure};
use kiln_image::{Image, Source, read_small};
use kiln_oci::{Arch, Descriptor, Index, Platform, media_type};

/// How deep indexes may lie in indexes, as in copies.
const DEPTH_MAX: usize = 4;
/// How many images one index may list, with those of the indexes in it.
const IMAGES_MAX: usize = 1000;
/// How many configurations are read to learn of the platforms of images of which an index says nothing.
const CONFIGS_MAX: usize = 64;

/// The image for this machine; for machines that kiln knows no images of, the one for amd64.
pub fn for_here<S: Source>(place: &S, descriptor: &Descriptor) -> Result<Descriptor, Failure> {
    let arch = Arch::host().unwrap_or(Arch::Amd64);
    for_arch(place, descriptor, arch, &descriptor.digest.to_string())
}

/// The image for Linux on `arch`; `name` is what the whole is called. An image for one platform is that one, whatever it is for.
pub fn for_arch<S: Source>(
    place: &S,
    descriptor: &Descriptor,
    arch: Arch,
    name: &str,
) -> Result<Descriptor, Failure> {
    if !media_type::is_index(&descriptor.media_type) {
        return Ok(descriptor.clone());
    }
    for_platform(place, descriptor, &Platform::linux(arch), name)
}

/// The image for `wanted`, which somebody asked for: an image for one platform must be for that. `name` is what the whole is called.
pub fn for_platform<S: Source>(
    place: &S,
    descriptor: &Descriptor,
    wanted: &Platform,
    name: &str,
) -> Result<Descriptor, Failure> {
    let images = images_of(place, descriptor)?;
    let fitting = images.iter().filter_map(|image| Some((image.platform.as_ref()?.fits(wanted)?, image)));
    // The first of those that fit best.
    let best = fitting.min_by_key(|(distance, _)| *distance).map(|(_, image)| image.clone());
    best.ok_or_else(|| {
        let what = format!("use {name}: it has no image for {wanted}");
        let known: Vec<String> =
            images.iter().filter_map(|image| image.platform.as_ref().map(ToString::to_string)).collect();
        let help = if known.is_empty() {
            "it says of none what it is for".to_owned()
        } else {
            format!("it has {}", known.join(", "))
        };
        Failure::new("kiln.no_platform", Class::Usage, what).with_help(help)
    })
}

/// The images that a descriptor names, each with its platform: of an index all that it and the indexes in it list, without statements.
/// What an index does not say of an image, its configuration does.
pub fn images_of<S: Source>(place: &S, descriptor: &Descriptor) -> Result<Vec<Descriptor>, Failure> {
    let mut images = listed_images(place, descriptor)?;
    let mut asked = 0;
    for image in &mut images {
        if image.platform.is_none() && asked < CONFIGS_MAX {
            asked += 1;
            image.platform = Some(configured(place, image)?);
        }
    }
    Ok(images)
}

/// The same, with what the indexes say of them and no more.
pub fn listed_images<S: Source>(place: &S, descriptor: &Descriptor) -> Result<Vec<Descriptor>, Failure> {
    let mut images = Vec::new();
    collect(place, descriptor, 0, &mut images)?;
    Ok(images)
}

fn collect<S: Source>(
    place: &S,
    descriptor: &Descriptor,
    depth: usize,
    images: &mut Vec<Descriptor>,
) -> Result<(), Failure> {
    let Some(index) = index_of(place, descriptor)? else {
        images.push(descriptor.clone());
        return Ok(());
    };
    if depth >= DEPTH_MAX || images.len() + index.manifests.len() > IMAGES_MAX {
        let what = format!("read the index {}", descriptor.digest);
        let why = format!("it lies deeper than {DEPTH_MAX} indexes, or lists more than {IMAGES_MAX} images");
        return Err(Failure::new("kiln.layout", Class::Content, what).with_cause(why));
    }
    for entry in index.manifests.iter().filter(|entry| !attached::is_attached(entry)) {
        if media_type::is_index(&entry.media_type) || media_type::is_manifest(&entry.media_type) {
            collect(place, entry, depth + 1, images)?;
        }
    }
    Ok(())
}

/// What the configuration of an image says that it is for.
fn configured<S: Source>(place: &S, image: &Descriptor) -> Result<Platform, Failure> {
    let config = Image::read(place, image)?.config;
    let variant = config.other.get("variant").and_then(|variant| variant.as_str()).map(str::to_owned);
    Ok(Platform { architecture: config.architecture, os: config.os, variant })
}

/// The index that a descriptor names; `None` where it names one image.
pub fn index_of<S: Source>(place: &S, descriptor: &Descriptor) -> Result<Option<Index>, Failure> {
    if !media_type::is_index(&descriptor.media_type) {
        return Ok(None);
    }
    let bytes = read_small(place, "index", descriptor)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Failure::new("kiln.layout", Class::Content, format!("read the index {}", descriptor.digest))
            .with_cause(error.to_string())
    })
}
