use ureq::http::Uri;

use crate::error::{Error, ErrorKind};

/// An address that can be requested: `http` or `https`, with a host, and without a name and password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole address, as it is requested.
    pub text: String,
    /// Whether the connection is encrypted.
    pub https: bool,
    /// Host in lower case, with the port where one is given.
    pub host: String,
    /// What follows the host, without the query.
    pub path: String,
    /// `name:password` that stood before the host.
    pub(crate) userinfo: Option<String>,
}

impl Url {
    /// Reads an address; a name and password in it are taken out.
    pub fn read(text: &str) -> Result<Self, Error> {
        let bad = || ErrorKind::BadUrl { url: shown(text) };
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad().into()),
        };
        let authority = uri.authority().ok_or_else(bad)?.as_str();
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        if host.is_empty() {
            return Err(bad().into());
        }
        let host = host.to_ascii_lowercase();
        let scheme = if https { "https" } else { "http" };
        let rest = uri.path_and_query().map_or("/", |rest| rest.as_str());
        Ok(Self {
            text: format!("{scheme}://{host}{rest}"),
            https,
            host,
            path: uri.path().to_owned(),
            userinfo,
        })
    }

    /// Where a `Location` header of an answer from here points.
    pub fn follow(&self, location: &str) -> Result<Self, Error> {
        let scheme = if self.https { "https" } else { "http" };
        let next = if location.contains("://") {
            Self::read(location)?
        } else if location.starts_with("//") {
            Self::read(&format!("{scheme}:{location}"))?
        } else if location.starts_with('/') {
            Self::read(&format!("{scheme}://{}{location}", self.host))?
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Self::read(&format!("{scheme}://{}{folder}/{location}", self.host))?
        };
        if self.https && !next.https {
            return Err(ErrorKind::Downgrade { url: shown(&self.text) }.into());
        }
        Ok(next)
    }

    /// The address as it may be shown.
    pub fn shown(&self) -> String {
        shown(&self.text)
    }
}

/// `url` without what may be secret in it: a name and password, a query.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// `base` and `path` with exactly one slash between them.
pub fn join(base: &str, path: &str) -> String {
    format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_secret() {
        assert_eq!(shown("https://me:pw@a.invalid:1/x?token=1"), "https://a.invalid:1/x");
        let url = Url::read("https://me:pw@A.invalid/x?y=1").unwrap();
        assert_eq!((url.text.as_str(), url.userinfo.as_deref()), ("https://a.invalid/x?y=1", Some("me:pw")));
    }

    #[test]
    fn follows_every_form_of_location() {
        let url = Url::read("https://a.invalid/x/y").unwrap();
        for (location, expected) in [
            ("https://b.invalid/z", "https://b.invalid/z"),
            ("//b.invalid/z", "https://b.invalid/z"),
            ("/z", "https://a.invalid/z"),
            ("z", "https://a.invalid/x/z"),
        ] {
            assert_eq!(url.follow(location).unwrap().text, expected);
        }
        assert!(url.follow("http://b.invalid/").is_err());
    }

    #[test]
    fn refuses_what_cannot_be_requested() {
        for text in ["", "file:///etc/passwd", "ftp://a.invalid/", "https://", "/x", "https:///x"] {
            assert!(Url::read(text).is_err(), "{text}");
        }
    }
}
