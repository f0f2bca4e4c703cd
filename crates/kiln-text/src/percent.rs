//! Percent-coding (RFC 3986, 2.1), with a named set for each place that has rules of its own.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode};

/// What needs no coding in some place; all else, and every byte that is not ASCII, is coded.
#[derive(Clone, Copy, Debug)]
pub struct Plain(&'static AsciiSet);

impl Plain {
    /// Values of forms and queries: what RFC 3986 calls unreserved.
    pub const UNRESERVED: Self = Self(&UNRESERVED);
    /// Paths: slashes, too.
    pub const PATH: Self = Self(&UNRESERVED.remove(b'/'));
    /// Parts of package URLs: colons, too. Source: purl-spec, "A purl is a URL".
    pub const PURL: Self = Self(&UNRESERVED.remove(b':'));
    /// Scopes and names in queries to registries, as these show them in their own answers: colons, slashes and commas, too.
    pub const SCOPE: Self = Self(&UNRESERVED.remove(b':').remove(b'/').remove(b','));

    /// The text, coded.
    pub fn encode(self, text: &str) -> Encoded<'_> {
        Encoded(percent_encoding::utf8_percent_encode(text, self.0))
    }
}

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A coded text; [`fmt::Display`] writes it.
#[derive(Clone, Debug)]
pub struct Encoded<'a>(PercentEncode<'a>);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The bytes that a text stands for; `None` where a `%` is not followed by two digits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let is_coded =
        |after: &str| after.as_bytes().get(..2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(is_coded).then(|| decode_loosely(text))
}

/// The same; a `%` that is not followed by two digits stands for itself.
pub fn decode_loosely(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_set() {
        let text = "aZ09-._~ :/,@+%é";
        for (plain, expected) in [
            (Plain::UNRESERVED, "aZ09-._~%20%3A%2F%2C%40%2B%25%C3%A9"),
            (Plain::PATH, "aZ09-._~%20%3A/%2C%40%2B%25%C3%A9"),
            (Plain::PURL, "aZ09-._~%20:%2F%2C%40%2B%25%C3%A9"),
            (Plain::SCOPE, "aZ09-._~%20:/,%40%2B%25%C3%A9"),
        ] {
            assert_eq!(plain.encode(text).to_string(), expected);
            assert_eq!(decode(expected).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_coded_is_refused_or_itself() {
        for text in ["%", "%4", "a%zz", "%é", "%+1", "%%41"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode_loosely("%zz%4%%41"), b"%zz%4%A");
        assert_eq!(decode("%fF").unwrap(), [0xff]);
    }
}
