//! zip archives as a stream, from their front: what lies inside archives inside of archives is read without a copy of any of them.
//! Source: PKWARE's APPNOTE.TXT, 4.3 and 4.5.3. The directory at the end is not asked: a reader that starts at the front sees every
//! entry that a program could be started from.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::DeflateDecoder;

const ENTRY: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
/// What may follow the last entry: the directory, or the end of an archive without entries.
const AFTER: [u32; 3] = [0x0201_4b50, 0x0605_4b50, 0x0606_4b50];
const ENCRYPTED: u16 = 1;
/// Sizes follow the content.
const STREAMED: u16 = 1 << 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Field of sizes that do not fit 32 bits, and what stands in their places.
const ZIP64: u16 = 1;
const ELSEWHERE: u32 = u32::MAX;
const BUFFER: usize = 16 << 10;

/// What may still be read, of all archives in a file together.
pub(super) struct Budget {
    pub(super) entries: u32,
    /// Decompressed.
    pub(super) bytes: u64,
}

/// Looks at entries.
pub(super) trait Visitor {
    fn wants(&self, name: &str) -> bool;
    /// The content of an entry that it wants; what it leaves is passed over.
    fn take(&mut self, name: &str, content: &mut dyn Read, budget: &mut Budget) -> Result<(), String>;
}

/// Reads the entries of an archive up to its directory.
pub(super) fn walk(
    input: &mut dyn BufRead,
    budget: &mut Budget,
    visitor: &mut dyn Visitor,
) -> Result<(), String> {
    let mut signature = word(input)?;
    while signature == ENTRY {
        budget.entries = budget.entries.checked_sub(1).ok_or("it has too many entries")?;
        let head = Head::read(input)?;
        signature = if head.is_streamed() {
            streamed(&head, input, budget, visitor)
        } else {
            sized(&head, input, budget, visitor)
        }?;
    }
    if AFTER.contains(&signature) { Ok(()) } else { Err("it is no zip archive, or a broken one".to_owned()) }
}

struct Head {
    flags: u16,
    method: u16,
    packed: u64,
    name: String,
}

impl Head {
    fn read(input: &mut dyn BufRead) -> Result<Self, String> {
        let mut fixed = [0; 26];
        fill(input, &mut fixed)?;
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let mut name = vec![0; usize::from(short(22))];
        fill(input, &mut name)?;
        let mut extra = vec![0; usize::from(short(24))];
        fill(input, &mut extra)?;
        let (packed, size) = (long(14), long(18));
        let packed = if packed == ELSEWHERE {
            large(&extra, size == ELSEWHERE).ok_or("an entry does not say its size")?
        } else {
            packed.into()
        };
        Ok(Self {
            flags: short(2),
            method: short(4),
            packed,
            name: String::from_utf8_lossy(&name).into_owned(),
        })
    }

    fn is_streamed(&self) -> bool {
        self.flags & STREAMED != 0
    }
}

/// The packed size in the field for large ones, where the size of the content stands before it if that is large, too.
fn large(extra: &[u8], with_size: bool) -> Option<u64> {
    let mut rest = extra;
    loop {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let (id, length) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let (field, next) = after.split_at_checked(length.into())?;
        if id == ZIP64 {
            let at = if with_size { 8 } else { 0 };
            return Some(u64::from_le_bytes(field.get(at..at + 8)?.try_into().ok()?));
        }
        rest = next;
    }
}

/// An entry that says how long it is; then the next signature.
fn sized(
    head: &Head,
    input: &mut dyn BufRead,
    budget: &mut Budget,
    visitor: &mut dyn Visitor,
) -> Result<u32, String> {
    let mut content = input.take(head.packed);
    if visitor.wants(&head.name) {
        match head.method {
            _ if head.flags & ENCRYPTED != 0 => return Err(format!("{} in it is encrypted", head.name)),
            STORED => shown(&head.name, &mut content, budget, visitor)?,
            DEFLATED => {
                let packed = BufReader::with_capacity(BUFFER, &mut content);
                shown(&head.name, &mut DeflateDecoder::new(packed), budget, visitor)?;
            }
            _ => return Err(format!("{} in it is compressed in a way of its own", head.name)),
        }
    }
    io::copy(&mut content, &mut io::sink()).map_err(|error| error.to_string())?;
    if content.limit() > 0 {
        return Err(early());
    }
    word(input)
}

/// An entry whose compression says where it ends; then the next signature.
fn streamed(
    head: &Head,
    input: &mut dyn BufRead,
    budget: &mut Budget,
    visitor: &mut dyn Visitor,
) -> Result<u32, String> {
    if head.flags & ENCRYPTED != 0
        || !(head.method == DEFLATED || head.method == STORED && head.name.ends_with('/'))
    {
        return Err(format!("{} in it does not say where it ends", head.name));
    }
    if head.method == DEFLATED {
        let mut content = DeflateDecoder::new(&mut *input);
        if visitor.wants(&head.name) {
            shown(&head.name, &mut content, budget, visitor)?;
        }
        io::copy(&mut Metered { content: &mut content, budget }, &mut io::sink())
            .map_err(|error| error.to_string())?;
    }
    // The checksum, with or without a signature before it, and two sizes of four or eight bytes.
    if word(input)? == DESCRIPTOR {
        word(input)?;
    }
    word(input)?;
    word(input)?;
    let next = word(input)?;
    if next == ENTRY || AFTER.contains(&next) {
        return Ok(next);
    }
    word(input)?;
    word(input)
}

fn shown(
    name: &str,
    content: &mut dyn Read,
    budget: &mut Budget,
    visitor: &mut dyn Visitor,
) -> Result<(), String> {
    // What an archive inside spends is spent here, too.
    let mut inner = Budget { entries: budget.entries, bytes: budget.bytes };
    let taken = visitor.take(name, &mut Metered { content, budget }, &mut inner);
    budget.entries = inner.entries;
    budget.bytes = budget.bytes.min(inner.bytes);
    taken
}

/// Counts what is decompressed.
struct Metered<'a> {
    content: &'a mut dyn Read,
    budget: &'a mut Budget,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.budget.bytes = self
            .budget
            .bytes
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it decompresses to more than is read of any archive"))?;
        Ok(count)
    }
}

fn word(input: &mut dyn BufRead) -> Result<u32, String> {
    let mut bytes = [0; 4];
    fill(input, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn fill(input: &mut dyn BufRead, bytes: &mut [u8]) -> Result<(), String> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => early(),
        _ => error.to_string(),
    })
}

fn early() -> String {
    "it ends early".to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    struct All;

    impl Visitor for All {
        fn wants(&self, _: &str) -> bool {
            true
        }

        fn take(&mut self, _: &str, content: &mut dyn Read, _: &mut Budget) -> Result<(), String> {
            io::copy(content, &mut io::sink()).map(drop).map_err(|error| error.to_string())
        }
    }

    /// Zeros pack to a thousandth. Whoever is asked for more than there may be gives up before it is there.
    #[test]
    fn a_bomb_is_given_up() {
        let mut writer = zip::ZipWriter::new_stream(Vec::new());
        for name in ["a", "b"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(&vec![0; 600_000]).unwrap();
        }
        let bomb = writer.finish().unwrap().into_inner();
        let walk = |entries, bytes| walk(&mut &bomb[..], &mut Budget { entries, bytes }, &mut All);
        assert_eq!(walk(2, 1_200_000), Ok(()));
        assert!(walk(2, 1_199_999).unwrap_err().contains("decompresses to more"));
        assert!(walk(1, 1_200_000).unwrap_err().contains("too many entries"));
    }
}
