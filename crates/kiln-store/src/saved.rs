//! Layouts as `cosign save` writes them: one image, its signatures and statements beside it without names, told apart by an annotation;
//! bundles among the blobs, and in no list. Source: cosign, `pkg/oci/layout/write.go` and `pkg/oci/layout/index.go`.

use kiln_image::Listed;
use kiln_oci::{Descriptor, Digest, media_type};

use crate::Error;
use crate::index::{MANIFEST_MAX, bare};

/// The annotation that says what an entry is, and how all its values begin.
const KIND: &str = "kind";
const KINDS: &str = "dev.cosignproject.cosign/";
/// Images, one and for several platforms.
const IMAGES: [&str; 2] = ["image", "imageIndex"];
/// What lies under a tag of each ending elsewhere.
const ATTACHED: [(&str, &str); 2] = [("sigs", "sig"), ("atts", "att")];
/// How many blobs are looked at for what refers to an image.
const BLOBS_MAX: usize = 1000;

fn kind(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(KIND)?.strip_prefix(KINDS)
}

fn image(entries: &[Descriptor]) -> Option<&Descriptor> {
    entries.iter().find(|entry| kind(entry).is_some_and(|kind| IMAGES.contains(&kind)))
}

/// The image that an entry is signatures or statements of.
pub(crate) fn subject(entries: &[Descriptor], entry: &Descriptor) -> Option<Digest> {
    let is_attached = ATTACHED.iter().any(|(own, _)| kind(entry) == Some(own));
    is_attached.then(|| image(entries).map(|image| image.digest)).flatten()
}

/// What would lie elsewhere under a tag beside the image.
pub(crate) fn tagged(entries: &[Descriptor], tag: &str) -> Vec<Descriptor> {
    let Some(image) = image(entries) else { return Vec::new() };
    let wanted = ATTACHED.iter().find(|(_, ending)| tag == format!("sha256-{}.{ending}", image.digest.hex()));
    let Some((wanted, _)) = wanted else { return Vec::new() };
    entries.iter().filter(|entry| kind(entry) == Some(wanted)).cloned().map(bare).collect()
}

/// Of the small blobs, each with its size, those that may refer to an image and are in no list; and that there are others, where there
/// are too many.
pub(crate) fn unlisted(
    entries: &[Descriptor],
    blobs: impl FnOnce() -> Result<Vec<(Digest, u64)>, Error>,
) -> Result<Listed, Error> {
    if image(entries).is_none() {
        return Ok(Listed::default());
    }
    let is_listed = |digest: &Digest| entries.iter().any(|entry| entry.digest == *digest);
    let small = blobs()?.into_iter().filter(|(digest, size)| *size <= MANIFEST_MAX && !is_listed(digest));
    let mut found: Vec<Descriptor> =
        small.map(|(digest, size)| Descriptor::new(media_type::MANIFEST, digest, size)).collect();
    let more = found.len().saturating_sub(BLOBS_MAX);
    found.truncate(BLOBS_MAX);
    let unknown = if more == 0 { Vec::new() } else { vec![format!("{more} blobs were not looked at")] };
    Ok(Listed { found, unknown })
}
