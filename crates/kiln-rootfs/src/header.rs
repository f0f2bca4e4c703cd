//! The 512-byte header block of ustar (POSIX.1-1988) and its numbers.

pub(crate) const BLOCK: usize = 512;

/// A header block with typed access. Offsets are those of the POSIX `ustar` format.
#[derive(Clone)]
pub(crate) struct Header(pub(crate) [u8; BLOCK]);

const CHECKSUM: std::ops::Range<usize> = 148..156;

impl Header {
    pub(crate) fn new(kind: u8) -> Self {
        let mut header = Self([0; BLOCK]);
        header.0[156] = kind;
        header.0[257..263].copy_from_slice(b"ustar\0");
        header.0[263..265].copy_from_slice(b"00");
        header
    }

    pub(crate) fn kind(&self) -> u8 {
        self.0[156]
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().all(|&b| b == 0)
    }

    /// The name with the ustar prefix before it.
    pub(crate) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[0..100]);
        // GNU tar keeps other things where POSIX keeps the prefix; only the POSIX magic has one.
        let prefix = if &self.0[257..263] == b"ustar\0" { text(&self.0[345..500]) } else { &[] };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    pub(crate) fn link_name(&self) -> &[u8] {
        text(&self.0[157..257])
    }

    pub(crate) fn mode(&self) -> Option<u64> {
        number(&self.0[100..108])
    }

    pub(crate) fn uid(&self) -> Option<u64> {
        number(&self.0[108..116])
    }

    pub(crate) fn gid(&self) -> Option<u64> {
        number(&self.0[116..124])
    }

    pub(crate) fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    pub(crate) fn checksum_is_right(&self) -> bool {
        number(&self.0[CHECKSUM]) == Some(self.sum())
    }

    fn sum(&self) -> u64 {
        let with_blanks = |(at, &byte): (usize, &u8)| if CHECKSUM.contains(&at) { b' ' } else { byte };
        self.0.iter().enumerate().map(with_blanks).map(u64::from).sum()
    }

    /// Puts as much of the name as fits; what does not fit stands in a PAX record before this header.
    pub(crate) fn set_name(&mut self, name: &[u8]) {
        put_text(&mut self.0[0..100], name);
    }

    pub(crate) fn set_link_name(&mut self, name: &[u8]) {
        put_text(&mut self.0[157..257], name);
    }

    /// Numbers that do not fit are put as zero and stand in a PAX record.
    pub(crate) fn set_numbers(&mut self, mode: u32, uid: u32, gid: u32, size: u64, mtime: u64) {
        put_octal(&mut self.0[100..108], mode.into());
        put_octal(&mut self.0[108..116], uid.into());
        put_octal(&mut self.0[116..124], gid.into());
        put_octal(&mut self.0[124..136], size);
        put_octal(&mut self.0[136..148], mtime);
        // Device numbers: always zero, as every archiver writes them for plain entries.
        put_octal(&mut self.0[329..337], 0);
        put_octal(&mut self.0[337..345], 0);
    }

    /// The block with its checksum.
    pub(crate) fn finish(mut self) -> [u8; BLOCK] {
        let sum = self.sum();
        self.0[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// Largest value of an octal field of `width` bytes, the last of which is NUL.
pub(crate) fn octal_max(width: u32) -> u64 {
    (1 << (3 * (width - 1))) - 1
}

fn put_octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    let value = if value > octal_max(field.len() as u32) { 0 } else { value };
    field[..width].copy_from_slice(format!("{value:0width$o}").as_bytes());
}

fn put_text(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    &field[..end]
}

/// An octal number, or the base-256 form of GNU tar for what octal cannot hold.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Base 256: negative numbers (first byte 0xff) and those over 64 bits are refused.
        if first != 0x80 {
            return None;
        }
        let (high, low) = rest.split_at(rest.len().saturating_sub(8));
        if high.iter().any(|&b| b != 0) {
            return None;
        }
        return Some(low.iter().fold(0, |sum, &b| sum << 8 | u64::from(b)));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}
