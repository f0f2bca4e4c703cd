//! Images in one tar file: an OCI layout (`oci-archive`), what `docker save` writes, or both at once.

mod read;
mod write;

pub use read::Archive;
pub use write::{ArchiveForm, ArchiveSink};

/// The marker of an OCI layout. Source: image-spec, image-layout.md.
const LAYOUT_MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
/// What Docker reads. Source: moby, `image/tarexport`.
const DOCKER: &str = "manifest.json";

/// Where a blob lies.
fn blob_name(digest: &kiln_oci::Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
