//! What goes into a step, and what of it changed since the last time.

use std::collections::BTreeMap;

use kiln_oci::Digest;

use super::origin::Origin;
use super::port::Cache;
use crate::{Error, Key};

/// How many changes of one step are named.
const NAMED_MAX: usize = 5;
/// Steps with more inputs keep only the digest of all of them, and no memory of each.
const NOTED_MAX: usize = 20_000;

/// Everything that goes into one step, in order.
pub(super) struct Inputs {
    kind: &'static str,
    key: Key,
    /// What each is called in messages, and its value; nothing once there are more than [`NOTED_MAX`].
    fields: Vec<(String, String)>,
    is_complete: bool,
}

impl Inputs {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, key: Key::new(kind), fields: Vec::new(), is_complete: true }
    }

    pub(super) fn add(&mut self, field: &str, called: &str, value: impl Into<String>) {
        let value = value.into();
        self.key.add(field, &value);
        self.is_complete &= self.fields.len() < NOTED_MAX;
        if self.is_complete {
            self.fields.push((called.to_owned(), value));
        } else {
            self.fields = Vec::new();
        }
    }

    pub(super) fn key(&self) -> Digest {
        self.key.clone().finish()
    }

    /// What changed since a step at this place was looked at last, in words; `None` where nothing did or nothing is known.
    /// The inputs are noted for the next time.
    pub(super) fn changed<N: Cache>(&self, origin: &Origin, cache: &N) -> Result<Option<Vec<String>>, Error> {
        if !self.is_complete || self.kind == "base" {
            return Ok(None);
        }
        let place = Key::new("why")
            .field("stage", &origin.stage)
            .field("instruction", origin.text.split_ascii_whitespace().next().unwrap_or_default())
            .field("line", origin.line.to_string())
            .finish();
        let now: BTreeMap<String, String> = self
            .fields
            .iter()
            .enumerate()
            .map(|(at, (called, value))| (unique(called, at), Digest::of(value.as_bytes()).to_string()))
            .collect();
        let noted = cache.recall(&place).map_err(Error::port("look into the build cache"))?;
        let before: Option<BTreeMap<String, String>> =
            noted.and_then(|noted| serde_json::from_slice(&noted).ok());
        let Some(before) = before else {
            note(cache, &place, &now)?;
            return Ok(None);
        };
        if before == now {
            return Ok(None);
        }
        note(cache, &place, &now)?;
        Ok(Some(differences(&before, &now)))
    }
}

/// Things with names of their own are found again wherever they stand; the others by their place.
fn unique(called: &str, at: usize) -> String {
    if called.starts_with('`') || called.starts_with("the variable") {
        called.to_owned()
    } else {
        format!("{called}\0{at}")
    }
}

fn note<N: Cache>(cache: &N, place: &Digest, now: &BTreeMap<String, String>) -> Result<(), Error> {
    let text = serde_json::to_vec(now).expect("a map of texts is JSON");
    cache.note(place, &text).map_err(Error::port("write to the build cache"))
}

fn differences(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for (what, value) in now {
        match before.get(what) {
            Some(old) if old == value => {}
            Some(_) => named.push(format!("{} changed", called(what))),
            None => named.push(format!("{} is new", called(what))),
        }
    }
    named.extend(
        before.keys().filter(|what| !now.contains_key(*what)).map(|what| format!("{} is gone", called(what))),
    );
    named.dedup();
    // What is below changes with everything before it and says nothing where something else does.
    if named.len() > 1 {
        named.retain(|what| !what.starts_with("what lies below"));
    }
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named
}

fn called(what: &str) -> &str {
    what.split('\0').next().unwrap_or(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn changes_are_named() {
        let before = map(&[("`a`", "1"), ("`b`", "1"), ("what lies below\x007", "1")]);
        let now = map(&[("`a`", "2"), ("`c`", "1"), ("what lies below\x007", "2")]);
        assert_eq!(differences(&before, &now), ["`a` changed", "`c` is new", "`b` is gone"]);
        let now = map(&[("`a`", "1"), ("`b`", "1"), ("what lies below\x007", "2")]);
        assert_eq!(differences(&before, &now), ["what lies below changed"]);
    }
}
