//! Images on their way from one place to another.

use kiln_finding::Failure;
use kiln_image::{Copied, CopyOptions, Sink, copy_with};
use kiln_oci::{Descriptor, Digest};

use crate::copy_target::CopyTarget;
use crate::destination::Destination;
use crate::place::Place;
use crate::platform::for_here;
use crate::tags::{Tags, bring_tags};

/// Blobs on their way at the same time.
const THREADS: usize = 4;

/// What goes along with an image.
#[derive(Clone, Copy, Default)]
pub struct Along<'a> {
    /// What refers to it: signatures and statements.
    pub referrers: bool,
    /// What older tools keep under tags beside it: signatures, statements, SBOMs.
    pub tags: bool,
    /// Makes the index around it that gets its name.
    pub index: Option<&'a MakeIndex>,
}

/// Puts an index around an image that is in the destination already, and yields it; it has no name yet.
pub type MakeIndex = dyn Fn(&Place, &Descriptor, &Destination) -> Result<Descriptor, Failure>;

/// An image where a copy brought it.
pub struct Arrived {
    /// How much was sent.
    pub copied: Copied,
    /// Tags beside the image, as older tools keep signatures.
    pub tags: Tags,
    /// Where it is, as the user may write it.
    pub shown: String,
    /// What the name stands for there.
    pub digest: Digest,
}

/// Copies `root` to `target` and makes it whole there, with what goes along where the target can hold that. `on_bytes` is told
/// how many bytes have passed since it was told last.
pub fn deliver(
    from: &Place,
    root: &Descriptor,
    target: CopyTarget,
    along: Along<'_>,
    on_bytes: &(dyn Fn(u64) + Sync),
) -> Result<Arrived, Failure> {
    if along.index.is_some() && target.is_single {
        return Err(Failure::usage(format!(
            "write statements into an index at {}: it holds one image",
            target.shown
        ))
        .with_help("copy to a registry, an OCI layout or an oci-archive"));
    }
    let root = if target.is_single { for_here(from, root)? } else { root.clone() };
    let destination = match (target.destination, from) {
        (Destination::Registry(to), Place::Registry(other)) => {
            Destination::Registry(Box::new((*to).mounting_from(other)))
        }
        (destination, _) => destination,
    };
    let threads = if destination.is_ordered() { 1 } else { THREADS };
    let referrers = along.referrers && !target.is_single;
    let options = CopyOptions { threads, referrers, on_bytes: Some(on_bytes) };
    let tags = if along.tags && !target.is_single {
        bring_tags(from, &root, &destination, along.referrers)?
    } else {
        Tags::default()
    };
    let tag = target.tag.as_deref();
    let copied = copy_with(from, &destination, &root, tag.filter(|_| along.index.is_none()), &options)?;
    let digest = match along.index {
        Some(make) => {
            let index = make(from, &root, &destination)?;
            destination.publish(&index, tag)?;
            index.digest
        }
        None => root.digest,
    };
    if let (Destination::Layout(layout), true) = (&destination, copied.referrers > 0 && target.is_foreign) {
        layout.tag_referrers(&root.digest)?;
    }
    destination.finish()?;
    Ok(Arrived { copied, tags, shown: target.shown, digest })
}
