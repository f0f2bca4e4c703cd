use kiln_finding::Severity;
use kiln_pkg::Ecosystem;

use crate::id::{get_id, skip_id};
use crate::score::{Cvss, Epss, Share};
use crate::wire::Reader;
use crate::{Date, Error, JudgedBy};

/// Severities by their number in the format.
pub(crate) const SEVERITIES: [Severity; 6] = Severity::ALL;

/// Flags of an advisory; the severity is in the bits below.
pub(crate) const EXPLOITED: u8 = 1 << 3;
pub(crate) const CVSS: u8 = 1 << 4;
pub(crate) const CWES: u8 = 1 << 5;
pub(crate) const EPSS: u8 = 1 << 6;
pub(crate) const JUDGED: u8 = 1 << 7;

/// One advisory about one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory<'a> {
    /// The id it is best known by.
    pub id: String,
    /// Other ids of the same vulnerability.
    pub aliases: Vec<String>,
    /// How severe it is.
    pub severity: Severity,
    /// Whose judgement that is, where the database says.
    pub judged_by: Option<JudgedBy>,
    /// The worst CVSS vector that was published with it.
    pub cvss: Option<Cvss>,
    /// Since when CISA lists it as exploited in the wild.
    pub exploited: Option<Date>,
    /// How likely it is exploited.
    pub epss: Option<Epss>,
    /// Kinds of weakness, by their CWE numbers.
    pub cwes: Vec<u32>,
    /// When it was published; `None` where the feed does not say.
    pub published: Option<Date>,
    /// The affected versions.
    pub spans: Vec<Span<'a>>,
}

/// A run of versions, in some or all releases of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// Bit *n* set: holds for the slice's release *n*. 0: holds for all.
    pub releases: u64,
    /// What holds for these versions.
    pub status: Status,
    /// The first version; `None` is the first there ever was.
    pub low: Option<&'a str>,
    /// `low` itself is outside.
    pub low_exclusive: bool,
    /// Where the run ends.
    pub high: Bound<'a>,
}

impl Span<'_> {
    /// Whether it speaks of the release that this bit stands for.
    pub(crate) fn is_of(&self, bit: Option<u64>) -> bool {
        self.releases == 0 || bit.is_some_and(|bit| self.releases & bit != 0)
    }

    /// A bound that cannot be compared counts as holding: an unreadable advisory must not hide a vulnerability.
    pub(crate) fn holds(&self, ecosystem: Ecosystem, version: &str) -> bool {
        let compare = |bound: &str| ecosystem.compare(version, bound);
        let above = self.low.is_none_or(|low| {
            compare(low).is_none_or(|order| if self.low_exclusive { order.is_gt() } else { order.is_ge() })
        });
        above
            && match self.high {
                Bound::Open | Bound::Unknown => true,
                Bound::Fixed(high) | Bound::Below(high) => {
                    compare(high).is_none_or(std::cmp::Ordering::is_lt)
                }
                Bound::Last(high) => compare(high).is_none_or(std::cmp::Ordering::is_le),
            }
    }
}

/// What holds for a run of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// They are vulnerable.
    Affected,
    /// They were looked at and are not.
    NotAffected,
    /// They are vulnerable, and the distribution will not fix them.
    WontFix,
}

/// Where a run of affected versions ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound<'a> {
    /// It has not ended: no version is fixed.
    Open,
    /// This version fixes it.
    Fixed(&'a str),
    /// This version is still affected; which one fixes it is not known.
    Last(&'a str),
    /// It ends below this version, which is no fix (a Node.js line that was never patched ends at the next).
    Below(&'a str),
    /// The publisher knows an end and the feed lost it. Reported as affected and never as fixable.
    Unknown,
}

/// Reads of a package block, after its name, the advisories whose spans `wants` asks for. A kernel has thousands, of which one
/// version has few; the rest is passed over.
pub(super) fn read_block<'a>(
    reader: &mut Reader<'a>,
    wants: &mut dyn FnMut(&[Span<'a>]) -> bool,
) -> Result<Vec<Advisory<'a>>, Error> {
    let mut texts = Vec::new();
    for _ in 0..reader.count()? {
        texts.push(reader.text()?);
    }
    let (mut advisories, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..reader.count()? {
        let mut start = *reader;
        skip_head(reader)?;
        spans.clear();
        for _ in 0..reader.count()? {
            spans.push(read_span(reader, &texts)?);
        }
        if wants(&spans) {
            advisories.push(read_advisory(&mut start, &spans)?);
        }
    }
    Ok(advisories)
}

/// Passes over what stands before the spans of an advisory.
fn skip_head(reader: &mut Reader<'_>) -> Result<(), Error> {
    skip_id(reader)?;
    for _ in 0..reader.count()? {
        skip_id(reader)?;
    }
    let flags = reader.byte()?;
    let is_set = |flag: u8| flags & flag != 0;
    reader.number()?;
    if is_set(EXPLOITED) {
        reader.number()?;
    }
    if is_set(CVSS) {
        reader.text()?;
    }
    for _ in 0..if is_set(CWES) { reader.count()? } else { 0 } {
        reader.number()?;
    }
    if is_set(EPSS) {
        reader.number().and(reader.number())?;
    }
    if is_set(JUDGED) {
        reader.byte()?;
    }
    Ok(())
}

fn read_advisory<'a>(reader: &mut Reader<'a>, spans: &[Span<'a>]) -> Result<Advisory<'a>, Error> {
    let id = get_id(reader)?;
    let mut aliases = Vec::new();
    for _ in 0..reader.count()? {
        aliases.push(get_id(reader)?);
    }
    let flags = reader.byte()?;
    let severity =
        SEVERITIES.get(usize::from(flags & 7)).ok_or_else(|| Error::malformed("a severity is unknown"))?;
    let published = Some(small(reader)?).filter(|days| *days > 0).map(Date::from_days);
    let is_set = |flag: u8| flags & flag != 0;
    let exploited = if is_set(EXPLOITED) { Some(Date::from_days(small(reader)?)) } else { None };
    let cvss = if is_set(CVSS) { Cvss::read(reader.text()?) } else { None };
    let mut cwes = Vec::new();
    for _ in 0..if is_set(CWES) { reader.count()? } else { 0 } {
        cwes.push(small(reader)?);
    }
    let epss =
        if is_set(EPSS) { Some(Epss { score: share(reader)?, percentile: share(reader)? }) } else { None };
    let judged_by = if is_set(JUDGED) { JudgedBy::of_number(reader.byte()?) } else { None };
    let spans = spans.to_vec();
    Ok(Advisory {
        id,
        aliases,
        severity: *severity,
        judged_by,
        cvss,
        exploited,
        epss,
        cwes,
        published,
        spans,
    })
}

fn small(reader: &mut Reader<'_>) -> Result<u32, Error> {
    u32::try_from(reader.number()?).map_err(|_| Error::malformed("a number is too large"))
}

fn share(reader: &mut Reader<'_>) -> Result<Share, Error> {
    Share::of_parts(small(reader)?).ok_or_else(|| Error::malformed("a probability is above one"))
}

fn read_span<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<Span<'a>, Error> {
    let text =
        |index: usize| texts.get(index).copied().ok_or_else(|| Error::malformed("a version lies outside"));
    let releases = reader.number()?;
    let status = match reader.byte()? {
        0 => Status::Affected,
        1 => Status::NotAffected,
        2 => Status::WontFix,
        _ => return Err(Error::malformed("a status is unknown")),
    };
    let (low, low_exclusive) = match reader.count()? {
        0 => (None, false),
        low => (Some(text((low - 1) / 2)?), low % 2 == 0),
    };
    let high = match reader.byte()? {
        0 => Bound::Open,
        1 => Bound::Fixed(text(reader.count()?)?),
        2 => Bound::Last(text(reader.count()?)?),
        3 => Bound::Below(text(reader.count()?)?),
        4 => Bound::Unknown,
        _ => return Err(Error::malformed("a bound is of an unknown kind")),
    };
    Ok(Span { releases, status, low, low_exclusive, high })
}
