//! Compiles advisory feeds to a database: parse each feed to drafts, merge what is the same, encode.
//!
//! [`build`] takes feeds whose kind is known, as the snapshot inside kiln; [`Builder`] takes documents as their publishers write
//! them, and finds out what they are. Deterministic: the same feeds give the same bytes, in any order.

mod assemble;
mod builder;
mod debian;
mod draft;
mod encode;
mod epss;
mod feed;
mod kev;
mod kind;
mod marks;
mod merge;
mod node;
mod osv;
mod recognise;
mod secdb;
mod tracker;

use self::assemble::{Collected, assemble};
pub use self::builder::{Added, Builder};
pub use self::feed::Feed;
pub use self::kind::FeedKind;
use self::marks::Marks;
pub use self::recognise::Recognised;
use crate::Error;

/// Compiles `feeds` to the bytes of a database.
pub fn build(feeds: &[Feed<'_>]) -> Result<Vec<u8>, Error> {
    let mut marks = Marks::default();
    for feed in feeds.iter().filter(|feed| feed.kind == FeedKind::Kev) {
        marks.exploited.extend(kev::lines(feed.name, feed.lines)?);
    }
    for feed in feeds.iter().filter(|feed| feed.kind.osv().is_some()) {
        for record in osv::lines::<osv::Record>(feed.name, feed.lines) {
            marks.judge(&record?);
        }
    }
    let mut collected = Vec::new();
    for feed in feeds {
        let packages = match feed.kind {
            FeedKind::Debian => debian::read(feed)?,
            FeedKind::Node => node::read(feed)?,
            FeedKind::Kev | FeedKind::Epss => feed::Packages::new(),
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
