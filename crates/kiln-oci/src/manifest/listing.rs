//! An index as a list of what others wrote: one entry that is not understood does not cost the others.

use serde::Deserialize;
use serde_json::Value;

use super::Index;
use super::shape::IndexShape;
use crate::Descriptor;

/// What an index lists, and what of it is not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries that are understood.
    pub manifests: Vec<Descriptor>,
    /// Of each other entry: which it is, and why it is not.
    pub odd: Vec<String>,
}

impl Listing {
    /// Reads a list. What is no list, or no JSON, is an error.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        if let Ok(index) = serde_json::from_slice::<Index>(bytes) {
            return Ok(Self { manifests: index.manifests, odd: Vec::new() });
        }
        let shape: IndexShape<Value> = serde_json::from_slice(bytes)?;
        let entries = shape.checked().map_err(serde::de::Error::custom)?.manifests();
        let mut listing = Self::default();
        for (at, entry) in entries.into_iter().enumerate() {
            match Descriptor::deserialize(&entry) {
                Ok(entry) => listing.manifests.push(entry),
                Err(error) => listing.odd.push(odd(at, &entry, &error)),
            }
        }
        Ok(listing)
    }
}

fn odd(at: usize, entry: &Value, error: &serde_json::Error) -> String {
    let digest = entry["digest"].as_str().unwrap_or("without a digest");
    format!("entry {} ({digest}) is not understood: {error}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[String]) -> Result<Listing, serde_json::Error> {
        Listing::read(format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")).as_bytes())
    }

    fn entry(digest: &str, more: &str) -> String {
        format!(r#"{{"mediaType":"m","digest":"{digest}","size":2{more}}}"#)
    }

    #[test]
    fn one_odd_entry_does_not_cost_the_others() {
        let right = format!("sha256:{}", "a".repeat(64));
        for odd in [
            entry(&format!("sha512:{}", "b".repeat(128)), ""),
            entry("sha256:abc", ""),
            entry(&right, "").replace(":2", ":-1"),
            entry(&right, "").replace(":2", ":2.5"),
            entry(&right, r#","annotations":{"a":1}"#),
            entry(&right, r#","artifactType":7"#),
            r#"{"digest":"sha256:"}"#.to_owned(),
            "7".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
        ] {
            let listing = read(&[entry(&right, ""), odd.clone(), entry(&right, "")]).unwrap();
            assert_eq!((listing.manifests.len(), listing.odd.len()), (2, 1), "{odd}");
            assert!(listing.odd[0].starts_with("entry 2 ("), "{:?}", listing.odd);
        }
    }

    #[test]
    fn fields_that_nobody_knows_and_null_are_nothing_odd() {
        let right = format!("sha256:{}", "a".repeat(64));
        for more in
            [r#","data":"e30=","urls":[],"new":{"a":[1]}"#, r#","annotations":null,"artifactType":null"#]
        {
            let listing = read(&[entry(&right, more)]).unwrap();
            assert_eq!((listing.manifests.len(), listing.odd.len()), (1, 0), "{more}");
        }
        assert_eq!(Listing::read(br#"{"schemaVersion":2,"manifests":null}"#).unwrap(), Listing::default());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"schemaVersion":2,"manifests":{}}"#,
            r#"{"schemaVersion":1,"manifests":[7]}"#,
            r#"{"schemaVersion":2,"manifests":[7],"layers":[]}"#,
        ] {
            assert!(Listing::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
