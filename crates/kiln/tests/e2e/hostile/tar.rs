//! Archives as no archiver writes them.

/// One entry, written as it is told.
#[derive(Clone)]
pub(super) struct Entry {
    kind: u8,
    name: Vec<u8>,
    link: Vec<u8>,
    mode: u32,
    body: Vec<u8>,
    /// The field itself; 11 octal digits where nothing else is wanted.
    mtime: Vec<u8>,
    pax: Vec<(String, Vec<u8>)>,
}

pub(super) fn entry(kind: u8, name: impl Into<Vec<u8>>) -> Entry {
    let mtime = b"00000000000".to_vec();
    Entry { kind, name: name.into(), link: Vec::new(), mode: 0o644, body: Vec::new(), mtime, pax: Vec::new() }
}

pub(super) fn file(name: impl Into<Vec<u8>>) -> Entry {
    entry(b'0', name).body("hostile")
}

pub(super) fn dir(name: impl Into<Vec<u8>>) -> Entry {
    entry(b'5', name).mode(0o755)
}

pub(super) fn symlink(name: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Entry {
    Entry { link: target.into(), ..entry(b'2', name) }
}

pub(super) fn hardlink(name: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Entry {
    Entry { link: target.into(), ..entry(b'1', name) }
}

impl Entry {
    pub(super) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(super) fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    pub(super) fn mtime(self, mtime: &[u8]) -> Self {
        Self { mtime: mtime.to_vec(), ..self }
    }

    pub(super) fn pax(mut self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.pax.push((key.to_owned(), value.into()));
        self
    }

    fn write(&self, tar: &mut Vec<u8>) {
        let mut records = self.pax.clone();
        let mut name = self.name.clone();
        if name.len() > 100 {
            records.insert(0, ("path".to_owned(), name.clone()));
            name.truncate(100);
        }
        let mut link = self.link.clone();
        if link.len() > 100 {
            records.insert(0, ("linkpath".to_owned(), link.clone()));
            link.truncate(100);
        }
        if !records.is_empty() {
            let body: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
            block(tar, b'x', b"PaxHeaders/0", b"", 0o644, b"00000000000", &body);
        }
        block(tar, self.kind, &name, &link, self.mode, &self.mtime, &self.body);
    }
}

/// An archive of these entries.
pub(super) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        entry.write(&mut tar);
    }
    tar.extend([0; 1024]);
    tar
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn block(tar: &mut Vec<u8>, kind: u8, name: &[u8], link: &[u8], mode: u32, mtime: &[u8], body: &[u8]) {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}", body.len()).as_bytes());
    put(136, mtime);
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link);
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(body);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
