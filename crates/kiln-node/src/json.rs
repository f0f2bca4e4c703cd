use serde::de::DeserializeOwned;

/// Reads JSON as Node.js does: of members of an object that have one name the last counts, and a byte order mark at the start is passed
/// over. Source: ECMA-262, `JSON.parse`.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        // A value of any shape keeps the last; most files need no second reading.
        Err(error) if error.to_string().starts_with("duplicate field") => {
            serde_json::from_value(serde_json::from_slice(bytes)?)
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lock, LockFormat, PackageJson};

    #[test]
    fn the_last_of_one_name_counts() {
        let package = PackageJson::read(
            "p",
            b"\xef\xbb\xbf{\"name\":\"a\",\"version\":\"1.0.0\",\"version\":\"2.0.0\"}",
        );
        assert_eq!(package.unwrap().version.as_deref(), Some("2.0.0"));
        let lock =
            br#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","version":"2.0.0"},
            "node_modules/b":{"version":"1.0.0"},"node_modules/b":{"version":"3.0.0"}}}"#;
        let lock = Lock::read_any(LockFormat::Npm, "l", lock).unwrap();
        let versions: Vec<&str> = lock.packages.iter().map(|package| package.version.as_str()).collect();
        assert_eq!(versions, ["2.0.0", "3.0.0"]);
        assert!(from_json::<PackageJson>(b"{\"version\":3}").is_err());
    }
}
