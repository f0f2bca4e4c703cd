//! The database format, version 3, all numbers little-endian or LEB128.
//!
//! ```text
//! header   "KILNADV3"  u32 length of meta  32 bytes SHA-256 of meta  u32 0
//! meta     JSON: [SliceInfo], each with the SHA-256 of its slice
//! slices   at the offsets meta gives, counted from the end of meta
//! slice    u32 count, count × u32 offset of a package block (blocks sorted by name, offsets from the slice's start), blocks
//! block    name, count of texts, texts (versions), count of advisories, advisories
//! advisory id, count of aliases, aliases, u8 severity | flags << 3, published (days), what the flags say, count of spans, spans
//! flags    1 exploited since (days) · 2 CVSS vector (text) · 4 CWEs (count, numbers) · 8 EPSS (score, percentile; in 1/100000)
//!          16 whose judgement the severity is (u8)
//! span     releases (a bit set over the slice's releases, 0 = all), u8 status, low, high
//! low      0 = from the first version on, else 1 + 2 × text (+ 1: the text itself is outside)
//! high     u8 kind (see Bound), text unless open
//! ```
//!
//! Version 2 is the same without the last flag, and is read, too.
//!
//! Opening reads header and meta. A slice is read whole when it is asked first, and held to its checksum then; a lookup
//! touches the index and one block.

mod advisory;
mod bytes;
mod meta;

pub use advisory::{Advisory, Bound, Span, Status};
pub(crate) use advisory::{CVSS, CWES, EPSS, EXPLOITED, JUDGED, SEVERITIES};
pub use bytes::ReadAt;
pub use meta::{Release, SliceInfo};

use std::sync::OnceLock;

use kiln_oci::Digest;
use kiln_pkg::Ecosystem;

use self::bytes::{Content, Slice};
use crate::error::ErrorKind;
use crate::wire::Reader;
use crate::{Date, Error};

pub(crate) const MAGIC: &[u8; 8] = b"KILNADV3";
const MAGIC_BEFORE: &[u8; 8] = b"KILNADV2";
/// How every version of the format begins.
const FAMILY: &[u8; 7] = b"KILNADV";
/// Bytes before the meta.
pub(crate) const HEADER: usize = 8 + 4 + 32 + 4;
/// Most bytes of the meta; a slice takes about a thousand.
const MAX_META: usize = 4 << 20;
/// Most bytes of one slice. The largest there is (all of npm, with malware) takes a tenth of it.
const MAX_SLICE: u64 = 256 << 20;
/// The snapshot inside this program.
static EMBEDDED: &[u8] = include_bytes!("../../snapshot/advisories.kdb");

/// An opened database over bytes that live elsewhere.
pub struct Database<'a> {
    content: Content<'a>,
    slices: Vec<SliceInfo>,
    /// Slices that were asked.
    loaded: Vec<OnceLock<Slice<'a>>>,
    /// Where the slices begin.
    body: u64,
    checksum: Digest,
    /// Slices are held to their checksums when they are first asked.
    checks: bool,
}

impl Database<'static> {
    /// The snapshot inside this program.
    pub fn embedded() -> Self {
        Self::trusted(EMBEDDED).expect("the snapshot is compiled in, and a test opens it")
    }

    /// Opens a database that lies elsewhere. Reads the header and the meta only.
    pub fn read(from: Box<dyn ReadAt>) -> Result<Self, Error> {
        Self::new(Content::Elsewhere(from), true)
    }
}

impl<'a> Database<'a> {
    /// Opens a database. Reads the header and the meta only; a slice is checked when it is first used, or all of them at once by
    /// [`Database::verify`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::new(Content::Here(bytes), true)
    }

    /// Opens a database that was verified before it came here, as the one inside this program.
    pub fn trusted(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::new(Content::Here(bytes), false)
    }

    fn new(content: Content<'a>, checks: bool) -> Result<Self, Error> {
        let header = content.part(0, HEADER)?;
        let mut reader = Reader::new(&header);
        let magic = reader.take(8)?;
        if magic != MAGIC && magic != MAGIC_BEFORE {
            return Err(if magic.starts_with(FAMILY) {
                ErrorKind::Version.into()
            } else {
                Error::malformed("it does not start with KILNADV")
            });
        }
        let length = u32_at(reader.take(4)?, 0).unwrap_or(0) as usize;
        if length > MAX_META {
            return Err(Error::malformed("its list of slices is too long"));
        }
        let checksum = Digest::from_bytes(reader.take(32)?.try_into().unwrap_or_default());
        let meta = content.part(HEADER as u64, length)?;
        if checks && Digest::of(&meta) != checksum {
            return Err(Error::malformed("the checksum of its list of slices is wrong"));
        }
        let slices: Vec<SliceInfo> =
            serde_json::from_slice(&meta).map_err(|source| ErrorKind::Header { source })?;
        drop((header, meta));
        let loaded = slices.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { content, slices, loaded, body: (HEADER + length) as u64, checksum, checks })
    }

    /// Checks every slice against its checksum; do so once, when a database arrives.
    pub fn verify(&self) -> Result<(), Error> {
        let meta = self.content.part(HEADER as u64, usize::try_from(self.body).unwrap_or(0) - HEADER)?;
        if Digest::of(&meta) != self.checksum {
            return Err(Error::malformed("the checksum of its list of slices is wrong"));
        }
        self.slices.iter().try_for_each(|slice| self.load(slice, true).map(drop))
    }

    /// The checksum in the header, which names the database in reports: of the list of slices, which has theirs.
    pub fn checksum(&self) -> Digest {
        self.checksum
    }

    /// What the database holds.
    pub fn slices(&self) -> &[SliceInfo] {
        &self.slices
    }

    /// The whole database, for who passes it on.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let end = |slice: &SliceInfo| slice.offset.saturating_add(slice.length);
        let length = self.body.saturating_add(self.slices.iter().map(end).max().unwrap_or(0));
        let length = usize::try_from(length).map_err(|_| Error::malformed("a slice lies outside"))?;
        Ok(self.content.part(0, length)?.into_owned())
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
    pub fn lookup(&self, slice: &SliceInfo, name: &str) -> Result<Vec<Advisory<'_>>, Error> {
        self.lookup_where(slice, name, |_| true)
    }

    /// Those of them whose spans `wants` asks for.
    pub(crate) fn lookup_where(
        &self,
        slice: &SliceInfo,
        name: &str,
        mut wants: impl FnMut(&[Span<'_>]) -> bool,
    ) -> Result<Vec<Advisory<'_>>, Error> {
        let found = self.find(slice, name)?;
        found.map_or(Ok(Vec::new()), |mut block| advisory::read_block(&mut block, &mut wants))
    }

    /// Whether any advisory in `slice` is about `name`.
    pub(crate) fn knows(&self, slice: &SliceInfo, name: &str) -> Result<bool, Error> {
        self.find(slice, name).map(|block| block.is_some())
    }

    /// The block of a package, after its name.
    fn find(&self, slice: &SliceInfo, name: &str) -> Result<Option<Reader<'_>>, Error> {
        let bytes = self.bytes(slice)?;
        let count = u32_at(bytes, 0).ok_or_else(|| Error::malformed("it ends early"))? as usize;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut block = block(bytes, middle)?;
            match block.text()?.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(block)),
            }
        }
        Ok(None)
    }

    fn bytes(&self, slice: &SliceInfo) -> Result<&[u8], Error> {
        let at = self.slices.iter().position(|known| known.name == slice.name);
        let cell =
            at.and_then(|at| self.loaded.get(at)).ok_or_else(|| Error::malformed("it has no such slice"))?;
        if let Some(bytes) = cell.get() {
            return Ok(bytes);
        }
        let bytes = self.load(slice, self.checks)?;
        Ok(cell.get_or_init(|| bytes))
    }

    fn load(&self, slice: &SliceInfo, checks: bool) -> Result<Slice<'a>, Error> {
        let outside = || Error::malformed("a slice lies outside");
        if slice.length > MAX_SLICE {
            return Err(Error::malformed("a slice is too long"));
        }
        let at = self.body.checked_add(slice.offset).ok_or_else(outside)?;
        let bytes = self.content.part(at, usize::try_from(slice.length).map_err(|_| outside())?)?;
        if checks && Digest::of(&bytes) != slice.digest {
            return Err(Error::malformed("the checksum of a slice is wrong"));
        }
        Ok(bytes)
    }
}

fn block(slice: &[u8], index: usize) -> Result<Reader<'_>, Error> {
    let at = index.checked_mul(4).and_then(|at| at.checked_add(4));
    let offset = at.and_then(|at| u32_at(slice, at)).ok_or_else(|| Error::malformed("it ends early"))?;
    let bytes = slice.get(offset as usize..).ok_or_else(|| Error::malformed("a package lies outside"))?;
    Ok(Reader::new(bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.get(..4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}
