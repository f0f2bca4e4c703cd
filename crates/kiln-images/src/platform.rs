//! Images for several platforms.

use kiln_finding::{Class, Failure};
use kiln_image::{Source, read_small};
use kiln_oci::{Arch, Descriptor, Index, media_type};

/// The image for this machine; for machines that kiln knows no images of, the one for amd64.
pub fn for_here<S: Source>(place: &S, descriptor: &Descriptor) -> Result<Descriptor, Failure> {
    let arch = Arch::host().unwrap_or(Arch::Amd64);
    for_arch(place, descriptor, arch, &descriptor.digest.to_string())
}

/// The image for `arch`; `name` is what the whole is called. An image for one platform is that one.
pub fn for_arch<S: Source>(
    place: &S,
    descriptor: &Descriptor,
    arch: Arch,
    name: &str,
) -> Result<Descriptor, Failure> {
    let Some(index) = index_of(place, descriptor)? else { return Ok(descriptor.clone()) };
    let fits = |entry: &&Descriptor| {
        let platform = entry.platform.as_ref();
        platform.is_some_and(|platform| platform.os == "linux" && platform.architecture == arch.as_str())
    };
    index.manifests.iter().find(fits).cloned().ok_or_else(|| {
        let platforms = index.manifests.iter().filter_map(|entry| entry.platform.as_ref());
        let known = platforms
            .filter(|platform| platform.os != "unknown")
            .map(|platform| format!("{}/{}", platform.os, platform.architecture));
        let what = format!("use {name}: it has no image for linux/{}", arch.as_str());
        Failure::new("kiln.no_platform", Class::Usage, what)
            .with_help(format!("it has {}", known.collect::<Vec<_>>().join(", ")))
    })
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
