use std::io::{self, Read, Write};

use crate::error::ErrorKind;
use crate::header::{BLOCK, Header, octal_max};
use crate::{Attrs, Content, Error, Kind, RootPath, Tree, pax};

/// Writes a tree as a PAX tar whose bytes depend on the tree and `mtime` (seconds since 1970) alone.
///
/// Every entry has the same modification time; there are no user names, device numbers or other times, and
/// a PAX record stands only where ustar cannot say the same.
pub fn write_tar<W: Write>(tree: &Tree, output: W, mtime: u64) -> Result<W, Error> {
    let mut writer = TarWriter::new(output, mtime);
    for (path, entry) in tree.iter() {
        writer.entry(path, &entry.attrs, &entry.kind)?;
    }
    writer.finish()
}

/// Writes entries one by one. The caller gives each path once, parents first.
pub struct TarWriter<W> {
    output: W,
    mtime: u64,
}

impl<W: Write> TarWriter<W> {
    /// Starts an archive in which everything has the modification time `mtime`.
    pub fn new(output: W, mtime: u64) -> Self {
        Self { output, mtime }
    }

    /// Writes one entry with its content.
    pub fn entry(&mut self, path: &RootPath, attrs: &Attrs, kind: &Kind) -> Result<(), Error> {
        match kind {
            Kind::Dir => {
                let name = if path.is_root() { "./".to_owned() } else { format!("{path}/") };
                self.header(b'5', &name, "", attrs, 0)
            }
            Kind::Symlink(target) => self.header(b'2', path.as_str(), target, attrs, 0),
            Kind::Hardlink(target) => self.header(b'1', path.as_str(), target.as_str(), attrs, 0),
            Kind::File(content) => {
                self.header(b'0', path.as_str(), "", attrs, content.size())?;
                self.content(path, content)
            }
        }
    }

    /// Writes a file of root's whose `size` bytes come from `content`.
    pub fn stream(
        &mut self,
        path: &RootPath,
        mode: u32,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), Error> {
        self.header(b'0', path.as_str(), "", &Attrs::root(mode), size)?;
        let failed = |source| ErrorKind::Write { path: path.to_string(), source };
        let copied = io::copy(&mut content.take(size), &mut self.output).map_err(failed)?;
        self.end_content(path, size, copied)
    }

    /// Ends the archive and gives the output back.
    pub fn finish(mut self) -> Result<W, Error> {
        let end = |source| ErrorKind::Finish { source };
        self.output.write_all(&[0; 2 * BLOCK]).map_err(end)?;
        self.output.flush().map_err(end)?;
        Ok(self.output)
    }

    fn header(&mut self, kind: u8, name: &str, link: &str, attrs: &Attrs, size: u64) -> Result<(), Error> {
        let mut records = Vec::new();
        if name.len() > 100 || !name.is_ascii() {
            pax::put(&mut records, "path", name.as_bytes());
        }
        if link.len() > 100 || !link.is_ascii() {
            pax::put(&mut records, "linkpath", link.as_bytes());
        }
        for (key, value, width) in
            [("size", size, 12), ("uid", attrs.uid.into(), 8), ("gid", attrs.gid.into(), 8)]
        {
            if value > octal_max(width) {
                pax::put(&mut records, key, value.to_string().as_bytes());
            }
        }
        for (key, value) in &attrs.xattrs {
            pax::put(&mut records, &format!("SCHILY.xattr.{key}"), value);
        }
        if !records.is_empty() {
            let mut header = Header::new(b'x');
            header.set_name(b"PaxHeaders/0");
            header.set_numbers(0o644, 0, 0, records.len() as u64, self.mtime);
            self.write(name, &header.finish())?;
            self.write(name, &records)?;
            self.pad(name, records.len() as u64)?;
        }
        let mut header = Header::new(kind);
        header.set_name(name.as_bytes());
        header.set_link_name(link.as_bytes());
        header.set_numbers(attrs.mode, attrs.uid, attrs.gid, size, self.mtime);
        self.write(name, &header.finish())
    }

    fn content(&mut self, path: &RootPath, content: &Content) -> Result<(), Error> {
        let failed = |source| ErrorKind::Write { path: path.to_string(), source };
        let size = content.size();
        let copied = match content {
            Content::Bytes(bytes) => self.output.write_all(bytes).map(|()| size),
            Content::Stored { .. } => {
                content.open().and_then(|reader| io::copy(&mut reader.take(size), &mut self.output))
            }
        }
        .map_err(failed)?;
        self.end_content(path, size, copied)
    }

    fn end_content(&mut self, path: &RootPath, size: u64, copied: u64) -> Result<(), Error> {
        if copied != size {
            return Err(ErrorKind::Changed { path: path.to_string(), promised: size }.into());
        }
        self.pad(path.as_str(), size)
    }

    fn pad(&mut self, path: &str, size: u64) -> Result<(), Error> {
        let over = size % BLOCK as u64;
        if over == 0 { Ok(()) } else { self.write(path, &[0; BLOCK][over as usize..]) }
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let failed = |source| ErrorKind::Write { path: path.to_owned(), source };
        Ok(self.output.write_all(bytes).map_err(failed)?)
    }
}
