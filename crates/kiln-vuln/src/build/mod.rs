//! Compiles advisory feeds to a database: parse each feed to drafts, merge what is the same, encode.
//!
//! Deterministic: the same feeds give the same bytes.

mod cvss;
mod debian;
mod draft;
mod encode;
mod kev;
mod merge;
mod node;
mod osv;

use std::collections::{BTreeMap, BTreeSet};

use kiln_oci::Digest;
use kiln_pkg::Ecosystem;

use self::draft::Draft;
use crate::database::{HEADER, MAGIC, SliceInfo};
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
    /// For Debian: the list of DSAs and DLAs, which fills releases and gaps the main feed leaves.
    pub supplement: Option<&'a [u8]>,
}

/// What rules a feed follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// Debian, by source package and release.
    Debian,
    /// Alpine, by origin and branch.
    Alpine,
    /// Wolfi and Chainguard, by origin.
    Wolfi,
    /// npm, by semver ranges.
    Npm,
    /// Node.js core, by `vulnerable` and `patched` ranges.
    Node,
    /// CISA's list of known exploited vulnerabilities; marks the advisories of the other feeds.
    Kev,
}

/// Compiles `feeds` to the bytes of a database.
pub fn build(feeds: &[Feed<'_>]) -> Result<Vec<u8>, Error> {
    let mut exploited = BTreeSet::new();
    for feed in feeds.iter().filter(|feed| feed.kind == FeedKind::Kev) {
        exploited.extend(kev::read(feed)?.into_keys());
    }
    let mut infos = Vec::new();
    let mut body = Vec::new();
    for feed in feeds {
        let (mut info, slice) = compile(feed, &exploited)?;
        info.offset = body.len() as u64;
        info.length = slice.len() as u64;
        infos.push(info);
        body.extend_from_slice(&slice);
    }
    let meta = serde_json::to_vec(&infos).expect("slice infos hold only strings, numbers and lists");
    let mut rest = meta.clone();
    rest.extend_from_slice(&body);
    let mut out = Vec::with_capacity(HEADER + rest.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&u32::try_from(meta.len()).expect("the meta is a few kilobytes").to_le_bytes());
    out.extend_from_slice(Digest::of(&rest).as_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&rest);
    Ok(out)
}

/// Drafts by package name.
type Packages = BTreeMap<String, Vec<Draft>>;

fn compile(feed: &Feed<'_>, exploited: &BTreeSet<String>) -> Result<(SliceInfo, Vec<u8>), Error> {
    let mut packages = match feed.kind {
        FeedKind::Debian => debian::read(feed)?,
        FeedKind::Node => node::read(feed)?,
        FeedKind::Alpine | FeedKind::Wolfi | FeedKind::Npm => osv::read(feed)?,
        FeedKind::Kev => Packages::new(),
    };
    for drafts in packages.values_mut() {
        *drafts = merge::merge(std::mem::take(drafts));
        for draft in drafts {
            let listed = draft.ids().any(|id| exploited.contains(id));
            draft.known_exploited = listed;
        }
    }
    let mut info = describe(feed, &packages);
    if feed.kind == FeedKind::Kev {
        let listed = kev::read(feed)?;
        info.advisories = listed.len() as u64;
        info.newest = listed.into_values().max().unwrap_or(feed.as_of);
    }
    let slice = encode::slice(&packages, &info.releases);
    Ok((info, slice))
}

fn describe(feed: &Feed<'_>, packages: &Packages) -> SliceInfo {
    let (ecosystem, distros): (_, &[&str]) = match feed.kind {
        FeedKind::Debian => (Some(Ecosystem::Deb), &["debian"]),
        FeedKind::Alpine => (Some(Ecosystem::Apk), &["alpine"]),
        FeedKind::Wolfi => (Some(Ecosystem::Apk), &["wolfi", "chainguard"]),
        FeedKind::Npm => (Some(Ecosystem::Npm), &[]),
        FeedKind::Node => (Some(Ecosystem::Node), &[]),
        FeedKind::Kev => (None, &[]),
    };
    let ids: BTreeSet<&str> = packages.values().flatten().map(|draft| draft.id.as_str()).collect();
    SliceInfo {
        name: feed.name.to_owned(),
        ecosystem,
        distros: distros.iter().map(|&id| id.to_owned()).collect(),
        releases: encode::releases(feed, packages),
        source: feed.source.to_owned(),
        as_of: feed.as_of,
        newest: packages.values().flatten().filter_map(|draft| draft.newest).max().unwrap_or(feed.as_of),
        advisories: ids.len() as u64,
        packages: packages.len() as u64,
        offset: 0,
        length: 0,
    }
}
