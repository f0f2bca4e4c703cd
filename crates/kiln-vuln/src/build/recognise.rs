//! What a document is, by its content; nobody's file names are believed.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::epss;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One OSV record.
    Osv,
    /// OSV records, one per line.
    OsvLines,
    /// [`super::secdb`]
    Secdb,
    /// [`super::tracker`]
    Tracker,
    /// [`super::kev`]
    Kev,
    /// The same, one entry per line.
    KevLines,
    /// [`super::epss`]
    Epss,
    /// [`super::node`], as its project publishes it.
    NodeIndex,
}

/// The keys that tell documents apart. Nothing is kept of their values.
#[derive(Default, Deserialize)]
struct Keys {
    id: Option<IgnoredAny>,
    affected: Option<IgnoredAny>,
    packages: Option<IgnoredAny>,
    vulnerabilities: Option<IgnoredAny>,
    #[serde(rename = "cveID")]
    cve_id: Option<IgnoredAny>,
    vulnerable: Option<IgnoredAny>,
    releases: Option<IgnoredAny>,
}

/// What is to be done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It is a feed.
    Feed,
    /// It is whole, and something else.
    Other,
    /// It looks like a feed that has not arrived whole.
    Broken,
}

/// What `bytes` are, for who finds files without knowing what is in them.
pub(super) fn recognise(bytes: &[u8]) -> Recognised {
    if shape(bytes).is_some() {
        return Recognised::Feed;
    }
    let text = bytes.trim_ascii_start();
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return Recognised::Other;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    if values.all(|value| value.is_ok()) { Recognised::Other } else { Recognised::Broken }
}

/// `None` where it is nothing that kiln reads.
pub(super) fn shape(bytes: &[u8]) -> Option<Shape> {
    let text = bytes.trim_ascii_start();
    if epss::STARTS.iter().any(|start| text.starts_with(start.as_bytes())) {
        return Some(Shape::Epss);
    }
    let first = text.split(|byte| *byte == b'\n').next()?;
    if let Ok(keys) = serde_json::from_slice::<Keys>(first)
        && text.len() > first.len() + 1
    {
        return if keys.cve_id.is_some() {
            Some(Shape::KevLines)
        } else {
            (keys.id.is_some()).then_some(Shape::OsvLines)
        };
    }
    of_keys(&serde_json::from_slice(text).ok()?).or_else(|| by_entry(text))
}

fn of_keys(keys: &Keys) -> Option<Shape> {
    if keys.id.is_some() && keys.affected.is_some() {
        return Some(Shape::Osv);
    }
    if keys.packages.is_some() {
        return Some(Shape::Secdb);
    }
    keys.vulnerabilities.as_ref().map(|_| Shape::Kev)
}

/// Documents that are a map of entries are told by their first entry.
fn by_entry(text: &[u8]) -> Option<Shape> {
    if let Ok(First(Some(First(Some(keys))))) = serde_json::from_slice::<First<First<Keys>>>(text)
        && keys.releases.is_some()
    {
        return Some(Shape::Tracker);
    }
    let entry: First<Keys> = serde_json::from_slice(text).ok()?;
    entry.0.is_some_and(|keys| keys.vulnerable.is_some()).then_some(Shape::NodeIndex)
}

/// The first value of an object that can be read as `T`; the others are passed over.
struct First<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = First<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<First<T>, A::Error> {
                let first = map.next_entry::<IgnoredAny, T>()?.map(|(_, value)| value);
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        from.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_ends_early_is_not_taken_for_something_else() {
        let whole = br#"{"title":"KEV","vulnerabilities":[]}"#;
        assert_eq!(recognise(whole), Recognised::Feed);
        for end in 1..whole.len() {
            assert_eq!(recognise(&whole[..end]), Recognised::Broken, "{end}");
        }
        assert_eq!(recognise(b"# Read me"), Recognised::Other);
        assert_eq!(recognise(br#"{"name":"x"}"#), Recognised::Other);
    }

    #[test]
    fn content_says_what_a_document_is() {
        for (text, expected) in [
            (r#"{"id":"GHSA-x","affected":[]}"#, Some(Shape::Osv)),
            ("{\"id\":\"GHSA-x\",\"affected\":[]}\n{\"id\":\"GHSA-y\"}\n", Some(Shape::OsvLines)),
            (r#"{"distroversion":"v3.20","packages":[]}"#, Some(Shape::Secdb)),
            (r#"{"title":"KEV","vulnerabilities":[]}"#, Some(Shape::Kev)),
            ("{\"cveID\":\"CVE-1\"}\n{\"cveID\":\"CVE-2\"}", Some(Shape::KevLines)),
            ("#model_version:v2025.03.14,score_date:2026-01-01\ncve,epss,percentile\n", Some(Shape::Epss)),
            (r#"{"zlib":{"CVE-2022-1":{"releases":{}}}}"#, Some(Shape::Tracker)),
            (r#"{"1":{"cve":["CVE-1"],"vulnerable":"8.x","patched":"^8.1.4"}}"#, Some(Shape::NodeIndex)),
            ("{}", None),
            ("[1]", None),
            ("<html>", None),
            ("", None),
            (r#"{"name":"an app","version":"1.0.0"}"#, None),
        ] {
            assert_eq!(shape(text.as_bytes()), expected, "{text}");
        }
    }
}
