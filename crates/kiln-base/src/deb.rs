use std::io::Read;

use flate2::read::GzDecoder;
use kiln_rootfs::{Attrs, Content, Entry, EntryKind, Kind, LayerEntry, LayerReader, Limits, RootPath};
use lzma_rust2::XzReader;

use crate::error::{Error, ErrorKind};

/// What one package may unpack to.
const LIMITS: Limits = Limits { entries: 100_000, bytes: 1 << 30 };
/// Dictionary of an xz stream, in KiB.
const XZ_MEMORY: u32 = 256 << 10;
/// log2 of the window of a zstd stream.
const ZSTD_WINDOW: u32 = 28;
const AR_HEADER: usize = 60;

/// A package as it was read.
#[derive(Debug)]
pub(crate) struct Deb {
    /// The control file.
    pub(crate) control: String,
    /// The checksums of its files, where it has any.
    pub(crate) md5sums: String,
    /// Its files in the order of the archive.
    pub(crate) files: Vec<(RootPath, Entry)>,
}

/// Reads a `.deb`: an ar archive of `debian-binary`, `control.tar.*` and `data.tar.*`. Source: deb(5).
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Deb, Error> {
    let wrong =
        |why: &str| -> Error { ErrorKind::Package { name: name.to_owned(), why: why.to_owned() }.into() };
    let members = members(bytes).ok_or_else(|| wrong("it is not an ar archive"))?;
    let member = |start: &str| members.iter().find(|(member, _)| member.starts_with(start)).copied();
    let (_, version) = member("debian-binary").ok_or_else(|| wrong("it is not a Debian package"))?;
    if !version.starts_with(b"2.") {
        return Err(wrong("it is not of format 2"));
    }
    let control = member("control.tar").ok_or_else(|| wrong("it has no control archive"))?;
    let data = member("data.tar").ok_or_else(|| wrong("it has no data archive"))?;
    let mut deb = Deb { control: String::new(), md5sums: String::new(), files: Vec::new() };
    for (path, entry) in unpack(name, control)? {
        let Kind::File(Content::Bytes(bytes)) = &entry.kind else { continue };
        let text = String::from_utf8_lossy(bytes).into_owned();
        match path.as_str() {
            "control" => deb.control = text,
            "md5sums" => deb.md5sums = text,
            _ => {}
        }
    }
    if deb.control.is_empty() {
        return Err(wrong("it has no control file"));
    }
    deb.files = unpack(name, data)?;
    Ok(deb)
}

/// The members of an ar archive: name and content.
fn members(bytes: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut rest = bytes.strip_prefix(b"!<arch>\n")?;
    let mut found = Vec::new();
    while rest.len() >= AR_HEADER {
        let (header, after) = rest.split_at(AR_HEADER);
        if header.get(58..60)? != b"`\n" {
            return None;
        }
        let name = std::str::from_utf8(header.get(..16)?).ok()?.trim_end().trim_end_matches('/');
        let size: usize = std::str::from_utf8(header.get(48..58)?).ok()?.trim_end().parse().ok()?;
        found.push((name, after.get(..size)?));
        rest = after.get(size.next_multiple_of(2)..).unwrap_or_default();
    }
    Some(found)
}

fn unpack(name: &str, (member, bytes): (&str, &[u8])) -> Result<Vec<(RootPath, Entry)>, Error> {
    let failed = Error::unpack(name);
    let reader: Box<dyn Read + '_> = match member.rsplit_once(".tar").map(|(_, kind)| kind) {
        Some(".xz") => Box::new(XzReader::new_mem_limit(bytes, true, XZ_MEMORY)),
        Some(".gz") => Box::new(GzDecoder::new(bytes)),
        Some(".zst") => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(&failed)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(&failed)?;
            Box::new(decoder)
        }
        Some("") => Box::new(bytes),
        _ => {
            let why = format!("its {member} is compressed in a way kiln does not read");
            return Err(ErrorKind::Package { name: name.to_owned(), why }.into());
        }
    };
    read_tar(name, reader)
}

/// All entries of a tar, with the content of its files.
pub(crate) fn read_tar(name: &str, reader: impl Read) -> Result<Vec<(RootPath, Entry)>, Error> {
    let mut layer = LayerReader::new(reader, LIMITS);
    let mut found = Vec::new();
    while let Some(entry) = layer.next_entry().map_err(Error::tree(name))? {
        let kind = content(name, &entry, &mut layer)?;
        let attrs = Attrs { mode: entry.mode, uid: entry.uid, gid: entry.gid, xattrs: entry.xattrs };
        found.push((entry.path, Entry { attrs, kind }));
    }
    Ok(found)
}

fn content<R: Read>(name: &str, entry: &LayerEntry, layer: &mut LayerReader<R>) -> Result<Kind, Error> {
    Ok(match &entry.kind {
        EntryKind::Dir => Kind::Dir,
        EntryKind::Symlink(target) => Kind::Symlink(target.clone()),
        EntryKind::Hardlink(target) => Kind::Hardlink(target.clone()),
        EntryKind::File => {
            let mut bytes = Vec::new();
            layer.read_to_end(&mut bytes).map_err(Error::unpack(name))?;
            Kind::File(Content::Bytes(bytes.into()))
        }
        EntryKind::Special | EntryKind::Whiteout(_) => {
            let why = format!("`{}` is neither a file, a directory nor a link", entry.path);
            return Err(ErrorKind::Package { name: name.to_owned(), why }.into());
        }
    })
}

#[cfg(test)]
mod tests;
