//! The database format, version 1, all numbers little-endian or LEB128.
//!
//! ```text
//! header   "KILNADV1"  u32 length of meta  32 bytes SHA-256 of everything after the header  u32 0
//! meta     JSON: [SliceInfo]
//! slices   at the offsets meta gives, counted from the end of meta
//! slice    u32 count, count × u32 offset of a package block (blocks sorted by name, offsets from the slice's start), blocks
//! block    name, count of texts, texts (versions), count of advisories, advisories
//! advisory id, count of aliases, aliases, u8 severity | known exploited << 7, published (days), count of spans, spans
//! span     releases (a bit set over the slice's releases, 0 = all), u8 status, low, high
//! low      0 = from the first version on, else 1 + 2 × text (+ 1: the text itself is outside)
//! high     u8 kind (see Bound), text unless open
//! ```
//!
//! A lookup touches the index and one block; nothing is decoded at opening but the meta.

mod advisory;
mod meta;

pub(crate) use advisory::SEVERITIES;
pub use advisory::{Advisory, Bound, Span, Status};
pub use meta::{Release, SliceInfo};

use kiln_oci::Digest;
use kiln_pkg::Ecosystem;

use crate::error::ErrorKind;
use crate::wire::Reader;
use crate::{Date, Error};

pub(crate) const MAGIC: &[u8; 8] = b"KILNADV1";
/// Bytes before the meta.
pub(crate) const HEADER: usize = 8 + 4 + 32 + 4;
/// The snapshot inside this program.
static EMBEDDED: &[u8] = include_bytes!("../../snapshot/advisories.kdb");

/// An opened database over bytes that live elsewhere.
pub struct Database<'a> {
    bytes: &'a [u8],
    slices: Vec<SliceInfo>,
    /// Where the slices begin.
    body: &'a [u8],
}

impl Database<'static> {
    /// The snapshot inside this program.
    pub fn embedded() -> Self {
        Self::open(EMBEDDED).expect("the snapshot is compiled in, and a test opens it")
    }
}

impl<'a> Database<'a> {
    /// Opens a database. Reads the header and the meta only; the rest is checked as it is used, or at once by
    /// [`Database::verify`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        if reader.take(8)? != MAGIC {
            return Err(Error::malformed("it does not start with KILNADV1"));
        }
        let length = u32_at(reader.take(4)?, 0).unwrap_or(0) as usize;
        reader.take(32 + 4)?;
        let slices =
            serde_json::from_slice(reader.take(length)?).map_err(|source| ErrorKind::Header { source })?;
        let body = bytes.get(HEADER + length..).unwrap_or_default();
        Ok(Self { bytes, slices, body })
    }

    /// Checks the checksum over the whole database; do so once, when it arrives.
    pub fn verify(&self) -> Result<(), Error> {
        let (header, rest) =
            self.bytes.split_at_checked(HEADER).ok_or_else(|| Error::malformed("it ends early"))?;
        if header.get(12..44) == Some(Digest::of(rest).as_bytes()) {
            Ok(())
        } else {
            Err(Error::malformed("the checksum is wrong"))
        }
    }

    /// The checksum in the header, which names the database in reports. [`Database::verify`] holds it to the content.
    pub fn checksum(&self) -> Digest {
        let bytes = self.bytes.get(12..44).and_then(|bytes| bytes.try_into().ok());
        Digest::from_bytes(bytes.unwrap_or_default())
    }

    /// What the database holds.
    pub fn slices(&self) -> &[SliceInfo] {
        &self.slices
    }

    /// The date of the newest advisory in any slice.
    pub fn newest(&self) -> Option<Date> {
        self.slices.iter().map(|slice| slice.newest).max()
    }

    /// The slice of an ecosystem; `distro` is the os-release id where the ecosystem has several.
    pub fn slice(&self, ecosystem: Ecosystem, distro: Option<&str>) -> Option<&SliceInfo> {
        self.slices.iter().find(|slice| {
            slice.ecosystem == Some(ecosystem)
                && (slice.distros.is_empty()
                    || distro.is_some_and(|id| slice.distros.iter().any(|known| known == id)))
        })
    }

    /// The advisories about `name` in `slice`, which must be one of this database.
    pub fn lookup(&self, slice: &SliceInfo, name: &str) -> Result<Vec<Advisory<'a>>, Error> {
        let start = usize::try_from(slice.offset).map_err(|_| Error::malformed("an offset is too large"))?;
        let bytes = self.body.get(start..).ok_or_else(|| Error::malformed("a slice lies outside"))?;
        let count = u32_at(bytes, 0).ok_or_else(|| Error::malformed("it ends early"))? as usize;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut block = block(bytes, middle)?;
            match block.text()?.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return advisory::read_block(&mut block),
            }
        }
        Ok(Vec::new())
    }
}

fn block(slice: &[u8], index: usize) -> Result<Reader<'_>, Error> {
    let offset = u32_at(slice, 4 + 4 * index).ok_or_else(|| Error::malformed("it ends early"))?;
    let bytes = slice.get(offset as usize..).ok_or_else(|| Error::malformed("a package lies outside"))?;
    Ok(Reader::new(bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.get(..4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}
