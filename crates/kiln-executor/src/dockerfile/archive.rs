//! Archives that `ADD` unpacks: tar, plain or compressed.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use kiln_disk::{Dir, disk_failure};
use kiln_finding::{Class, Failure};
use kiln_rootfs::{Content, Delta, Kind, LayerReader, Limits, Tree, decompress};

use crate::spool::Spool;

const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const BZIP2: &[u8] = b"BZh";
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Where a tar says that it is one (POSIX.1, pax, "ustar Interchange Format").
const MAGIC_AT: usize = 257;
const MAGIC: &[u8] = b"ustar";
/// Memory that an xz archive may ask for, in KiB.
const XZ_MEMORY: u32 = 256 << 10;

/// What an archive holds; `None` for a file that is none. Its files go to `spool`, which must be empty.
pub(super) fn unpack(content: &Content, spool: &Path) -> Result<Option<Tree>, Failure> {
    let what = match content {
        Content::Stored { file, .. } => file.place(),
        Content::Bytes(_) => "an archive".to_owned(),
    };
    let failed = |error: io::Error| disk_failure("unpack", Path::new(&what), &error);
    let file = content.open().map_err(failed)?;
    let mut plain = BufReader::with_capacity(64 << 10, opened(file).map_err(failed)?);
    // What cannot be decompressed only began like an archive.
    let Ok(start) = plain.fill_buf() else { return Ok(None) };
    if start.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) != Some(MAGIC) {
        return Ok(None);
    }
    let spool = Spool::new(Dir::create(spool).map_err(|error| disk_failure("create", spool, &error))?);
    let mut reader = LayerReader::new(plain, Limits::default());
    let mut trouble = None;
    let mut delta = Delta::read(&mut reader, &mut |entry, bytes| {
        Ok(spool.keep(entry.size, bytes).unwrap_or_else(|error| {
            trouble.get_or_insert(error);
            Content::Bytes(Arc::from([]))
        }))
    })?;
    if let Some(error) = trouble {
        return Err(failed(error));
    }
    if let Some((path, target)) = delta.links_below().next() {
        let why = format!("the hard link `{path}` names `{target}`, which is no file of the archive");
        return Err(Failure::new("build.archive", Class::Content, format!("unpack {what}")).with_cause(why));
    }
    for (_, entry) in delta.tree.iter_mut() {
        if matches!(entry.kind, Kind::Symlink(_)) {
            entry.attrs.mode = 0o777;
        }
    }
    Ok(Some(delta.tree))
}

fn opened<'a>(file: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut file = BufReader::with_capacity(64 << 10, file);
    let start = file.fill_buf()?;
    Ok(if start.starts_with(XZ) {
        Box::new(lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY))
    } else if start.starts_with(BZIP2) {
        Box::new(bzip2::bufread::MultiBzDecoder::new(file))
    } else if start.starts_with(GZIP) || start.starts_with(ZSTD) {
        decompress(file)?
    } else {
        Box::new(file)
    })
}
