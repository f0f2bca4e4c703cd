use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use crate::error::ErrorKind;
use crate::header::{BLOCK, Header};
use crate::{Error, RootPath, pax};

/// How much of a hostile archive is read before kiln gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries in one layer.
    pub entries: u64,
    /// Uncompressed bytes in one layer.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 4_000_000, bytes: 64 << 30 }
    }
}

/// Bytes of one long name or of one set of PAX records.
const EXTENSION_MAX: u64 = 1 << 20;
const BUFFER: usize = 256 << 10;

/// What a layer takes away from the layers below. Source: image-spec, layer.md "Whiteouts".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whiteout {
    /// The path and everything below it.
    Remove(RootPath),
    /// Everything below the path, but not the path.
    Opaque(RootPath),
}

/// What an entry of a layer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Dir,
    /// A regular file; its bytes are read from the [`LayerReader`].
    File,
    /// A symbolic link and its target, as written.
    Symlink(String),
    /// Another name of an entry.
    Hardlink(RootPath),
    /// A device, a pipe or a socket.
    Special,
    /// No entry at all, but an order to take something away.
    Whiteout(Whiteout),
}

/// One entry of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerEntry {
    /// Where it is. Bytes that are no UTF-8 are replaced by U+FFFD.
    pub path: RootPath,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Size of a regular file in bytes; 0 for all else.
    pub size: u64,
    /// Extended attributes by full name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// Undoes gzip or zstd where the first bytes show it; plain tar passes through.
pub fn decompress<'a>(input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let start = input.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(input))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(input)?)
    } else {
        Box::new(input)
    })
}

/// Streams the entries of a layer's uncompressed tar. Reading from it yields the content of the entry that
/// [`LayerReader::next_entry`] gave last; what is left unread is skipped.
///
/// Understands ustar, PAX and GNU long names. A stream that ends without the two zero blocks is accepted
/// between entries, as every archiver does, and refused inside one.
pub struct LayerReader<R> {
    input: R,
    limits: Limits,
    offset: u64,
    entries: u64,
    /// Content of the current entry that is not read yet.
    content: u64,
    padding: u64,
    ended: bool,
}

/// What PAX records and GNU long names say about the next entry.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl<R: Read> LayerReader<R> {
    /// Reads `input`, which must be uncompressed (see [`decompress`]).
    pub fn new(input: R, limits: Limits) -> Self {
        Self { input, limits, offset: 0, entries: 0, content: 0, padding: 0, ended: false }
    }

    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<LayerEntry>, Error> {
        let mut extension = Extension::default();
        loop {
            self.skip_content()?;
            let Some(header) = self.next_header()? else { return Ok(None) };
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(ErrorKind::Limit { what: "entries", limit: self.limits.entries }.into());
            }
            let size = header.size().ok_or_else(|| self.malformed("the size is no number"))?;
            self.expect(size)?;
            match header.kind() {
                b'x' => self.read_pax(&mut extension)?,
                b'L' => extension.path = Some(self.read_long_name()?),
                b'K' => extension.link = Some(self.read_long_name()?),
                b'g' => {}
                b'S' => return Err(self.malformed("sparse files are not part of image layers")),
                _ => return self.finish_entry(&header, extension).map(Some),
            }
        }
    }

    /// How many bytes were read; right after [`LayerReader::next_entry`], where the content of the entry begins.
    pub fn position(&self) -> u64 {
        self.offset
    }

    /// Reads the stream to its very end, so that a hash over it covers every byte.
    pub fn drain(mut self) -> Result<R, Error> {
        let offset = self.offset;
        let read = io::copy(&mut (&mut self.input).take(self.limits.bytes), &mut io::sink())
            .map_err(|source| ErrorKind::Read { offset, source })?;
        if read == self.limits.bytes {
            return Err(ErrorKind::Limit { what: "bytes", limit: self.limits.bytes }.into());
        }
        Ok(self.input)
    }

    fn finish_entry(&mut self, header: &Header, extension: Extension) -> Result<LayerEntry, Error> {
        let name = extension.path.unwrap_or_else(|| header.name());
        let name = String::from_utf8_lossy(&name);
        let path = RootPath::normalise(&name)?;
        let link = extension.link.unwrap_or_else(|| header.link_name().to_vec());
        let link = String::from_utf8_lossy(&link);
        if let Some(size) = extension.size {
            self.expect(size)?;
        }
        let kind = match header.kind() {
            _ if path.file_name().starts_with(".wh.") => whiteout(&path)?,
            // Before POSIX, a directory was a file whose name ends with a slash.
            b'0' | 0 | b'7' if !name.ends_with('/') => EntryKind::File,
            b'0' | 0 | b'7' | b'5' => EntryKind::Dir,
            b'1' => EntryKind::Hardlink(RootPath::normalise(&link)?),
            b'2' => EntryKind::Symlink(link.into_owned()),
            b'3' | b'4' | b'6' => EntryKind::Special,
            _ => return Err(self.malformed("an entry of unknown type")),
        };
        if matches!(kind, EntryKind::Hardlink(_) | EntryKind::Symlink(_)) {
            // Old archivers write the size of the target here, but no content follows.
            self.content = 0;
            self.padding = 0;
        }
        let size = if kind == EntryKind::File { self.content } else { 0 };
        let narrow = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        Ok(LayerEntry {
            path,
            kind,
            mode: narrow(header.mode()).ok_or_else(|| self.malformed("the mode is no number"))? & 0o7777,
            uid: extension.uid.or(narrow(header.uid())).unwrap_or(0),
            gid: extension.gid.or(narrow(header.gid())).unwrap_or(0),
            size,
            xattrs: extension.xattrs,
        })
    }

    /// So many bytes of content follow.
    fn expect(&mut self, size: u64) -> Result<(), Error> {
        if size > self.limits.bytes {
            return Err(ErrorKind::Limit { what: "bytes", limit: self.limits.bytes }.into());
        }
        self.content = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
        Ok(())
    }

    fn read_pax(&mut self, extension: &mut Extension) -> Result<(), Error> {
        let records = self.read_extension()?;
        let pairs = pax::read(&records).ok_or_else(|| self.malformed("a PAX record is malformed"))?;
        for (key, value) in pairs {
            let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
            match key {
                "path" => extension.path = Some(value.to_vec()),
                "linkpath" => extension.link = Some(value.to_vec()),
                "size" => {
                    let size = number().ok_or_else(|| self.malformed("the PAX size is no number"))?;
                    extension.size = Some(size);
                }
                "uid" => extension.uid = number().and_then(|id| u32::try_from(id).ok()),
                "gid" => extension.gid = number().and_then(|id| u32::try_from(id).ok()),
                key if key.starts_with("GNU.sparse") => {
                    return Err(self.malformed("sparse files are not part of image layers"));
                }
                key => {
                    if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                        extension.xattrs.insert(name.to_owned(), value.to_vec());
                    }
                }
            }
        }
        Ok(())
    }

    fn read_long_name(&mut self) -> Result<Vec<u8>, Error> {
        let mut name = self.read_extension()?;
        if let Some(end) = name.iter().position(|&b| b == 0) {
            name.truncate(end);
        }
        Ok(name)
    }

    fn read_extension(&mut self) -> Result<Vec<u8>, Error> {
        if self.content > EXTENSION_MAX {
            return Err(
                ErrorKind::Limit { what: "bytes in one extended header", limit: EXTENSION_MAX }.into()
            );
        }
        let mut bytes = vec![0; self.content as usize];
        self.fill(&mut bytes)?;
        self.content = 0;
        Ok(bytes)
    }

    fn next_header(&mut self) -> Result<Option<Header>, Error> {
        if self.ended {
            return Ok(None);
        }
        let mut block = [0; BLOCK];
        let first = self.read_raw(&mut block)?;
        if first == 0 {
            self.ended = true;
            return Ok(None);
        }
        self.fill(&mut block[first..])?;
        let header = Header(block);
        if header.is_zero() {
            self.ended = true;
            return Ok(None);
        }
        if !header.checksum_is_right() {
            return Err(self.malformed("the checksum of a header is wrong"));
        }
        Ok(Some(header))
    }

    fn skip_content(&mut self) -> Result<(), Error> {
        let mut left = self.content + self.padding;
        let mut scratch = [0; 16 << 10];
        while left > 0 {
            let want = scratch.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.fill(&mut scratch[..want])?;
            left -= want as u64;
        }
        self.content = 0;
        self.padding = 0;
        Ok(())
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), Error> {
        while !buffer.is_empty() {
            let count = self.read_raw(buffer)?;
            if count == 0 {
                return Err(self.malformed("it ends inside an entry"));
            }
            buffer = &mut buffer[count..];
        }
        Ok(())
    }

    fn read_raw(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let offset = self.offset;
        let count = loop {
            match self.input.read(buffer) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ErrorKind::Read { offset, source }.into()),
            }
        };
        self.offset += count as u64;
        if self.offset > self.limits.bytes {
            return Err(ErrorKind::Limit { what: "bytes", limit: self.limits.bytes }.into());
        }
        Ok(count)
    }

    fn malformed(&self, why: &'static str) -> Error {
        ErrorKind::Malformed { offset: self.offset, why }.into()
    }
}

impl<R: Read> Read for LayerReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(self.content).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let count = self.read_raw(&mut buffer[..want]).map_err(io::Error::other)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the layer ends inside a file"));
        }
        self.content -= count as u64;
        Ok(count)
    }
}

fn whiteout(path: &RootPath) -> Result<EntryKind, Error> {
    let parent = path.parent().unwrap_or(RootPath::ROOT);
    Ok(match path.file_name() {
        ".wh..wh..opq" => EntryKind::Whiteout(Whiteout::Opaque(parent)),
        // Bookkeeping of aufs (`.wh..wh.plnk` and its like) means nothing in a layer.
        name if name.starts_with(".wh..wh.") => EntryKind::Special,
        ".wh." => return Err(Error::path(path.as_str(), "is a whiteout of nothing")),
        name => EntryKind::Whiteout(Whiteout::Remove(parent.join(&name[".wh.".len()..])?)),
    })
}
