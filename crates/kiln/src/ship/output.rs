//! Where a finished image goes besides kiln's own store.

use std::str::FromStr;

use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Place, deliver};
use kiln_oci::Descriptor;
use kiln_store::Layout;

/// What a target may begin with.
const KINDS: [&str; 4] = ["oci", "oci-archive", "docker-archive", "docker"];

/// `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE` or `docker:NAME`.
#[derive(Clone, Debug)]
pub(crate) struct ShipTarget(String);

impl FromStr for ShipTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((kind, rest)) if KINDS.contains(&kind) && !rest.is_empty() => Ok(Self(text.to_owned())),
            _ => {
                Err(format!("`{text}` is no output; write oci:DIR, oci-archive:FILE or docker-archive:FILE"))
            }
        }
    }
}

impl ShipTarget {
    /// The Docker daemon, under the image's own name.
    pub(crate) fn daemon() -> Self {
        Self("docker:".to_owned())
    }

    /// The file that `docker load` takes.
    pub(crate) fn docker_archive(&self) -> Option<&str> {
        self.0.strip_prefix("docker-archive:")
    }
}

/// Writes the image `name` (`repository:tag`) to a target, with its statements where the target can hold them. Yields
/// where it is.
pub(crate) fn write(
    target: &ShipTarget,
    layout: &Layout,
    image: &Descriptor,
    name: &str,
) -> Result<String, Failure> {
    let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    let unknown = || Failure::usage(format!("write to {}: it is no output", target.0));
    let open = CopyTarget::local(&target.0, repository, Some(tag))?.ok_or_else(unknown)?;
    let along = Along { referrers: true, index: None };
    Ok(deliver(&Place::Layout(layout.clone()), image, open, along, &|_| {})?.shown)
}
