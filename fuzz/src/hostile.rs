//! Archives as no archiver writes them, out of a few bytes: each byte picks a part of a name, a kind, a record.

/// Bytes that are picked from, one by one; zeros once they are used up.
pub struct Picks<'a>(pub &'a [u8]);

impl Picks<'_> {
    /// Whether nothing is left to pick from.
    pub fn are_over(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn one_of<'t>(&mut self, table: &[&'t [u8]]) -> &'t [u8] {
        table[usize::from(self.byte()) % table.len()]
    }

    /// A name of a few parts, of here or of the folder `out` of the machine.
    fn name(&mut self, out: &str) -> Vec<u8> {
        let shape = self.byte();
        let mut name = match shape % 8 {
            0 => format!("/{out}").into_bytes(),
            1 => format!("{UP}{out}").into_bytes(),
            2 => b"/".to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..=shape / 8 % 4 {
            if !name.is_empty() && !name.ends_with(b"/") {
                name.push(b'/');
            }
            name.extend(self.one_of(PARTS));
        }
        name
    }
}

/// As many steps up as no folder is deep.
const UP: &str = "../../../../../../../../../../../../";
/// Few names, so that entries meet.
const PARTS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"secret",
    b"folder",
    b"new",
    b".",
    b"..",
    b"",
    b".wh.a",
    b".wh.b",
    b".wh.secret",
    b".wh.folder",
    b".wh..wh..opq",
    b".wh.",
    b".wh..",
    b".wh...",
    b".wh..wh.aufs",
    b"proc",
    b"caf\xc3\xa9",
    b"cafe\xcc\x81",
    b"\xff",
];
const KINDS: &[&[u8]] = &[
    b"0", b"0", b"5", b"5", b"2", b"2", b"1", b"1", b"3", b"4", b"6", b"7", b"S", b"L", b"K", b"\0", b"g",
    b"Z",
];
const MODES: &[u32] = &[0o644, 0o755, 0, 0o6777, 0o1777, 0o7777_7777];
/// Keys of PAX records; `path` and `linkpath` come with names, the others with texts.
const KEYS: &[&[u8]] = &[
    b"path",
    b"linkpath",
    b"size",
    b"uid",
    b"gid",
    b"mtime",
    b"SCHILY.xattr.user.kiln.owner",
    b"SCHILY.xattr.trusted.overlay.redirect",
    b"SCHILY.xattr.user.overlay.opaque",
    b"SCHILY.xattr.user.overlay.whiteout",
    b"SCHILY.xattr.security.capability",
    b"GNU.sparse.name",
    b"GNU.sparse.major",
    b"hdrcharset",
];
const TEXTS: &[&[u8]] = &[
    b"",
    b"0",
    b"7",
    b"y",
    b"-1",
    b"0:0",
    b"1000:1000",
    b"4294967295",
    b"99999999999999999999",
    b"/",
    b"../secret",
    b"a\0b",
    b"\x01\0\0\x02\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0",
];

/// A tar with right checksums whose entries are picked; some of their names lead to `out`, a folder of the machine without
/// its first slash.
pub fn tar(picks: &mut Picks<'_>, out: &str) -> Vec<u8> {
    let mut tar = Vec::new();
    for _ in 0..ENTRIES_MAX {
        if picks.are_over() {
            break;
        }
        entry(picks, out, &mut tar);
    }
    tar.extend([0; 1024]);
    tar
}

const ENTRIES_MAX: usize = 64;

fn entry(picks: &mut Picks<'_>, out: &str, tar: &mut Vec<u8>) {
    let kind = picks.one_of(KINDS)[0];
    let name = picks.name(out);
    let look = picks.byte();
    let link = if matches!(kind, b'1' | b'2') || look & 1 != 0 { picks.name(out) } else { Vec::new() };
    let records: Vec<u8> = (0..look >> 1 & 3).flat_map(|_| picked_record(picks, out)).collect();
    if !records.is_empty() {
        block(tar, b'x', b"PaxHeaders/0", b"", 0o644, &records);
    }
    let mode = MODES[usize::from(look >> 3) % MODES.len()];
    let body = match kind {
        b'0' | b'7' | b'\0' | b'S' => b"hostile".to_vec(),
        b'L' | b'K' => picks.name(out),
        _ => Vec::new(),
    };
    for (key, value) in [("path", &name), ("linkpath", &link)] {
        if value.len() > 100 {
            block(tar, b'x', b"PaxHeaders/0", b"", 0o644, &record(key.as_bytes(), value));
        }
    }
    block(tar, kind, &name[..name.len().min(100)], &link[..link.len().min(100)], mode, &body);
}

fn picked_record(picks: &mut Picks<'_>, out: &str) -> Vec<u8> {
    let key = picks.one_of(KEYS);
    match key {
        b"path" | b"linkpath" | b"GNU.sparse.name" => record(key, &picks.name(out)),
        _ => record(key, picks.one_of(TEXTS)),
    }
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// One entry of a tar, with its checksum.
pub(crate) fn block(tar: &mut Vec<u8>, kind: u8, name: &[u8], link: &[u8], mode: u32, body: &[u8]) {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name);
    put(100, format!("{:07o}", mode & 0o777_7777).as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}", body.len()).as_bytes());
    put(136, b"00000000000");
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
