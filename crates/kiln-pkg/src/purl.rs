use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kiln_text::percent::{self, Encoded, Plain};

/// A package URL: `pkg:type/namespace/name@version?qualifiers#subpath`, parts decoded. Source: purl-spec 1.0 (ECMA-427).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    /// Type, lower case.
    pub kind: String,
    /// Namespace; segments parted by `/`.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Qualifiers by lower-case key.
    pub qualifiers: BTreeMap<String, String>,
    /// Path inside the package.
    pub subpath: Option<String>,
}

/// A text that is no package URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a package URL (pkg:type/name@version)")]
pub struct PurlError(String);

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pkg:")?;
        f.write_str(&self.kind)?;
        f.write_str("/")?;
        for segment in self.namespace.iter().flat_map(|namespace| namespace.split('/')) {
            encode(segment).fmt(f)?;
            f.write_str("/")?;
        }
        encode(&self.name).fmt(f)?;
        if let Some(version) = &self.version {
            f.write_str("@")?;
            encode(version).fmt(f)?;
        }
        for (at, (key, value)) in self.qualifiers.iter().filter(|(_, value)| !value.is_empty()).enumerate() {
            f.write_str(if at == 0 { "?" } else { "&" })?;
            f.write_str(key)?;
            f.write_str("=")?;
            encode(value).fmt(f)?;
        }
        if let Some(subpath) = &self.subpath {
            f.write_str("#")?;
            for (at, segment) in subpath.split('/').enumerate() {
                f.write_str(if at == 0 { "" } else { "/" })?;
                encode(segment).fmt(f)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    /// Reads what any tool writes: `+` plain or encoded, `:` plain or encoded, an `epoch` qualifier (moved into the version
    /// of a deb), slashes after `pkg:`.
    fn from_str(text: &str) -> Result<Self, PurlError> {
        read(text).ok_or_else(|| PurlError(text.chars().take(200).collect()))
    }
}

fn read(text: &str) -> Option<Purl> {
    let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
    let (rest, subpath) = split_last(rest, '#');
    let (rest, qualifiers) = split_last(rest, '?');
    let (kind, path) = rest.split_once('/')?;
    let path = path.trim_matches('/');
    // A scope may be written `@scope`, so an `@` that starts a segment opens no version.
    let at = path.rfind('@').filter(|&at| at > 0 && !path[..at].ends_with('/'));
    let (path, version) = at.map_or((path, None), |at| (&path[..at], Some(&path[at + 1..])));
    let (namespace, name) =
        path.rsplit_once('/').map_or((None, path), |(namespace, name)| (Some(namespace), name));
    let mut purl = Purl {
        kind: kind.to_ascii_lowercase(),
        namespace: optional(namespace)?,
        name: decode(name)?,
        version: optional(version.filter(|version| !version.is_empty()))?,
        qualifiers: read_qualifiers(qualifiers.unwrap_or_default())?,
        subpath: optional(subpath.map(|path| path.trim_matches('/')))?,
    };
    normalise(&mut purl);
    let kind_fits = purl.kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if purl.kind.is_empty() || purl.name.is_empty() || !kind_fits {
        return None;
    }
    if purl.kind == "deb"
        && let Some(epoch) = purl.qualifiers.remove("epoch")
    {
        purl.version = purl.version.map(|version| format!("{epoch}:{version}"));
    }
    Some(purl)
}

/// What types say of letters. Source: purl-spec, type definitions `pypi`, `github`, `bitbucket`.
fn normalise(purl: &mut Purl) {
    match purl.kind.as_str() {
        "pypi" => purl.name = crate::version::pypi::normal_name(&purl.name),
        "github" | "bitbucket" => {
            purl.name.make_ascii_lowercase();
            purl.namespace.iter_mut().for_each(|namespace| namespace.make_ascii_lowercase());
        }
        _ => {}
    }
}

/// Decodes what is there; the outer `None` is an error.
#[expect(clippy::option_option, reason = "an absent part and a malformed one are different answers")]
fn optional(text: Option<&str>) -> Option<Option<String>> {
    match text {
        None => Some(None),
        Some(text) => decode(text).map(Some),
    }
}

fn split_last(text: &str, at: char) -> (&str, Option<&str>) {
    text.rsplit_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn read_qualifiers(text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        if !value.is_empty() {
            found.insert(key.to_ascii_lowercase(), decode(value)?);
        }
    }
    Some(found)
}

fn encode(text: &str) -> Encoded<'_> {
    Plain::PURL.encode(text)
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(percent::decode(text)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Ecosystem, Package, Source};

    #[test]
    fn writes_what_other_scanners_match() {
        let mut zlib = Package::new(Ecosystem::Deb, "zlib1g", "1:1.3.dfsg+really1.3.1-1+b1");
        zlib.arch = Some("amd64".to_owned());
        zlib.distro = Some("debian-13".to_owned());
        zlib.source =
            Some(Source { name: "zlib".to_owned(), version: "1:1.3.dfsg+really1.3.1-1".to_owned() });
        assert_eq!(
            zlib.key(),
            "pkg:deb/debian/zlib1g@1:1.3.dfsg%2Breally1.3.1-1%2Bb1?arch=amd64&distro=debian-13&upstream=zlib%401:1.3.dfsg%2Breally1.3.1-1"
        );
        let scoped = Package::new(Ecosystem::Npm, "@types/node", "24.0.0");
        assert_eq!(scoped.key(), "pkg:npm/%40types/node@24.0.0");
        assert_eq!(Package::new(Ecosystem::Node, "node", "24.1.0").key(), "pkg:generic/node@24.1.0");
    }

    #[test]
    fn reads_what_other_tools_write() {
        let trivy: Purl =
            "pkg:deb/debian/zlib1g@1.2.13.dfsg-1?arch=amd64&distro=debian-12.1&epoch=1".parse().unwrap();
        assert_eq!(trivy.version.as_deref(), Some("1:1.2.13.dfsg-1"));
        let plain: Purl = "pkg:npm/@babel/core@7.0.0".parse().unwrap();
        assert_eq!((plain.namespace.as_deref(), plain.name.as_str()), (Some("@babel"), "core"));
        let name = |text: &str| text.parse::<Purl>().unwrap().to_string();
        assert_eq!(name("pkg:pypi/Ruamel_Yaml.clib@1"), "pkg:pypi/ruamel-yaml-clib@1");
        assert_eq!(name("pkg:github/Acme/Tool@v1"), "pkg:github/acme/tool@v1");
        for bad in ["", "npm/x@1", "pkg:npm", "pkg:npm/", "pkg:n!pm/x", "pkg:npm/x@%zz"] {
            assert!(bad.parse::<Purl>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(
            namespace in proptest::option::of("[@a-z][a-z+ ]{0,5}(/[a-z]{1,3})?"), name in "[a-zA-Z0-9@%?#_+. -]{1,8}",
            version in proptest::option::of("[0-9:+~@/?#-]{1,8}"), value in "[a-z0-9=&#?@%]{1,8}",
        ) {
            let purl = Purl {
                kind: "generic".to_owned(), namespace, name, version,
                qualifiers: BTreeMap::from([("arch".to_owned(), value)]), subpath: None,
            };
            prop_assert_eq!(purl.to_string().parse(), Ok(purl));
        }

        #[test]
        fn never_panics(text in "(pkg:)?\\PC{0,30}") {
            let _ = text.parse::<Purl>();
        }
    }
}
