use std::collections::BTreeSet;

use kiln_oci::Digest;

use super::draft::Draft;
use super::feed::Packages;
use super::kind::FeedKind;
use super::marks::Marks;
use super::{encode, merge};
use crate::Date;
use crate::database::{HEADER, MAGIC, SliceInfo};

/// What makes one slice.
pub(super) struct Collected {
    pub(super) kind: FeedKind,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) as_of: Date,
    pub(super) packages: Packages,
}

/// The bytes of a database.
pub(super) fn assemble(collected: Vec<Collected>, marks: &Marks) -> Vec<u8> {
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
    let malware: BTreeSet<&str> = packages
        .values()
        .flatten()
        .flat_map(Draft::ids)
        .filter(|id| id.starts_with(crate::id::MALWARE))
        .collect();
    let judged = packages.values().flatten().filter(|draft| draft.judged.is_some());
    let judged: BTreeSet<&str> = judged.map(|draft| draft.id.as_str()).collect();
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
        malware: malware.len() as u64,
        judged: Some(judged.len() as u64),
        offset: 0,
        length: 0,
        digest: Digest::of(&[]),
    }
}
