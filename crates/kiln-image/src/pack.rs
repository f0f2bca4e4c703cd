use std::io::Write;

use kiln_oci::{Descriptor, Digest, HashingWriter, media_type};
use kiln_rootfs::{Tree, write_tar};
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::{Error, GzipWriter};

/// What is known of a layer once it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedLayer {
    /// The compressed layer.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Size of the uncompressed tar in bytes.
    pub tar_size: u64,
}

/// Writes `tree` as a gzip layer. The bytes depend on the tree and `mtime` (seconds since 1970) alone.
pub fn pack_layer<W: Write + Send>(
    tree: &Tree,
    mtime: u64,
    threads: usize,
    output: W,
) -> Result<(W, PackedLayer), Error> {
    let compressed = HashingWriter::new(output);
    let tar = HashingWriter::new(GzipWriter::new(compressed, threads));
    let tar = write_tar(tree, tar, mtime).map_err(|source| ErrorKind::Pack { source })?;
    let (gzip, diff_id, tar_size) = tar.finish();
    let (output, digest, size) = gzip.finish().map_err(|source| ErrorKind::Write { source })?.finish();
    let descriptor = Descriptor::new(media_type::LAYER_GZIP, digest, size);
    Ok((output, PackedLayer { descriptor, diff_id, tar_size }))
}
