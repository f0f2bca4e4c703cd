//! Compiles advisory feeds to a database: parse each feed to drafts, merge what is the same, encode.
//!
//! [`build`] takes feeds whose kind is known, as the snapshot inside kiln; [`Builder`] takes documents as their publishers write
//! them, and finds out what they are. Deterministic: the same feeds give the same bytes, in any order.

mod builder;
mod debian;
mod draft;
mod encode;
mod epss;
mod kev;
mod kind;
mod merge;
mod node;
mod osv;
mod recognise;
mod secdb;
mod tracker;

use std::collections::{BTreeMap, BTreeSet};

use kiln_oci::Digest;

pub use self::builder::{Added, Builder};
use self::draft::Draft;
pub use self::kind::FeedKind;
pub use self::recognise::Recognised;
use crate::database::{HEADER, MAGIC, SliceInfo};
use crate::score::Epss;
use crate::{Date, Error};

/// A feed to compile: JSON Lines in the OSV shape (or CISA's, for [`FeedKind::Kev`]).
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    /// How to read it.
    pub kind: FeedKind,
    /// Name of the slice it makes.
    pub name: &'a str,
    /// Who published the facts, and under which licence.
    pub source: &'a str,
    /// The day up to which the feed is complete; single newer records may be in it.
    pub as_of: Date,
    /// One JSON record per line.
    pub lines: &'a [u8],
    /// A second list about the same packages. For Debian: DSAs and DLAs, which fill releases and gaps the main feed leaves.
    /// For Node.js: what its maintainers say of vulnerabilities in the libraries it bundles.
    pub supplement: Option<&'a [u8]>,
}

/// Compiles `feeds` to the bytes of a database.
pub fn build(feeds: &[Feed<'_>]) -> Result<Vec<u8>, Error> {
    let mut marks = Marks::default();
    for feed in feeds.iter().filter(|feed| feed.kind == FeedKind::Kev) {
        marks.exploited.extend(kev::lines(feed.name, feed.lines)?);
    }
    let mut collected = Vec::new();
    for feed in feeds {
        let packages = match feed.kind {
            FeedKind::Debian => debian::read(feed)?,
            FeedKind::Node => node::read(feed)?,
            FeedKind::Kev | FeedKind::Epss => Packages::new(),
            _ => osv::read(feed)?,
        };
        collected.push(Collected {
            kind: feed.kind,
            name: feed.name.to_owned(),
            source: feed.source.to_owned(),
            as_of: feed.as_of,
            packages,
        });
    }
    Ok(assemble(collected, &marks))
}

/// Drafts by package name.
type Packages = BTreeMap<String, Vec<Draft>>;

/// What makes one slice.
struct Collected {
    kind: FeedKind,
    name: String,
    source: String,
    as_of: Date,
    packages: Packages,
}

/// What lists say of single CVEs, whatever package they are in.
#[derive(Default)]
struct Marks {
    /// Since when each is listed as exploited.
    exploited: BTreeMap<String, Date>,
    likely: BTreeMap<String, Epss>,
}

impl Marks {
    fn mark(&self, draft: &mut Draft) {
        let exploited = draft.ids().filter_map(|id| self.exploited.get(id)).min().copied();
        let likely = draft.ids().filter_map(|id| self.likely.get(id)).max_by_key(|epss| epss.score).copied();
        draft.exploited = exploited;
        draft.epss = likely;
    }
}

fn assemble(collected: Vec<Collected>, marks: &Marks) -> Vec<u8> {
    let mut infos = Vec::new();
    let mut body = Vec::new();
    for slice in collected {
        let (mut info, bytes) = compile(slice, marks);
        info.offset = body.len() as u64;
        info.length = bytes.len() as u64;
        info.digest = Digest::of(&bytes);
        infos.push(info);
        body.extend_from_slice(&bytes);
    }
    let meta = serde_json::to_vec(&infos).expect("slice infos hold only strings, numbers and lists");
    let mut out = Vec::with_capacity(HEADER + meta.len() + body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&u32::try_from(meta.len()).expect("the meta is a few kilobytes").to_le_bytes());
    out.extend_from_slice(Digest::of(&meta).as_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&meta);
    out.extend_from_slice(&body);
    out
}

fn compile(mut slice: Collected, marks: &Marks) -> (SliceInfo, Vec<u8>) {
    for drafts in slice.packages.values_mut() {
        *drafts = merge::merge(std::mem::take(drafts));
        for draft in drafts {
            marks.mark(draft);
        }
    }
    let info = describe(&slice, marks);
    let bytes = encode::slice(&slice.packages, &info.releases);
    (info, bytes)
}

fn describe(slice: &Collected, marks: &Marks) -> SliceInfo {
    let packages = &slice.packages;
    let ids: BTreeSet<&str> = packages.values().flatten().map(|draft| draft.id.as_str()).collect();
    let newest = packages.values().flatten().filter_map(|draft| draft.newest).max();
    let (advisories, newest) = match slice.kind {
        FeedKind::Kev => (marks.exploited.len(), marks.exploited.values().max().copied()),
        FeedKind::Epss => (marks.likely.len(), None),
        _ => (ids.len(), newest),
    };
    SliceInfo {
        name: slice.name.clone(),
        ecosystem: slice.kind.ecosystem(),
        distros: slice.kind.distros().iter().map(|&id| id.to_owned()).collect(),
        releases: encode::releases(slice.kind, slice.as_of, packages),
        source: slice.source.clone(),
        as_of: slice.as_of,
        newest: newest.unwrap_or(slice.as_of),
        advisories: advisories as u64,
        packages: packages.len() as u64,
        offset: 0,
        length: 0,
        digest: Digest::of(&[]),
    }
}
