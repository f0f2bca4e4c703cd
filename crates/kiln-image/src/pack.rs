use std::io::Write;

use kiln_oci::{Descriptor, Digest, HashingWriter, media_type};
use kiln_rootfs::{Delta, Tree, write_delta, write_tar};
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
    gzip(output, threads, |gzip| write_tar(tree, gzip, mtime))
}

/// Writes what a layer changes, in the compression that is asked for. The bytes depend on the layer, the compression and
/// `mtime` (seconds since 1970) alone.
pub fn pack_delta<W: Write + Send>(
    delta: &Delta,
    mtime: u64,
    compression: Compression,
    threads: usize,
    output: W,
) -> Result<(W, PackedLayer), Error> {
    match compression {
        Compression::Gzip => gzip(output, threads, |gzip| write_delta(delta, gzip, mtime)),
        Compression::Zstd => zstd(delta, mtime, output),
    }
}

/// How layers are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// What every registry and runtime takes.
    #[default]
    Gzip,
    /// Smaller and faster; Docker reads it since version 23.
    Zstd,
}

type Packing<W> = HashingWriter<GzipWriter<HashingWriter<W>>>;

fn gzip<W: Write + Send>(
    output: W,
    threads: usize,
    write: impl FnOnce(Packing<W>) -> Result<Packing<W>, kiln_rootfs::Error>,
) -> Result<(W, PackedLayer), Error> {
    let compressed = HashingWriter::new(output);
    let tar = HashingWriter::new(GzipWriter::new(compressed, threads));
    let tar = write(tar).map_err(|source| ErrorKind::Pack { source })?;
    let (gzip, diff_id, tar_size) = tar.finish();
    let (output, digest, size) = gzip.finish().map_err(|source| ErrorKind::Write { source })?.finish();
    let descriptor = Descriptor::new(media_type::LAYER_GZIP, digest, size);
    Ok((output, PackedLayer { descriptor, diff_id, tar_size }))
}

/// The level that `zstd` takes when nobody asks; more costs much and gives little.
const ZSTD_LEVEL: i32 = 3;

fn zstd<W: Write>(delta: &Delta, mtime: u64, output: W) -> Result<(W, PackedLayer), Error> {
    let failed = |source| ErrorKind::Write { source };
    let encoder = zstd::Encoder::new(HashingWriter::new(output), ZSTD_LEVEL).map_err(failed)?;
    let tar = write_delta(delta, HashingWriter::new(encoder), mtime)
        .map_err(|source| ErrorKind::Pack { source })?;
    let (encoder, diff_id, tar_size) = tar.finish();
    let (output, digest, size) = encoder.finish().map_err(failed)?.finish();
    let descriptor = Descriptor::new(media_type::LAYER_ZSTD, digest, size);
    Ok((output, PackedLayer { descriptor, diff_id, tar_size }))
}
