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

    /// Where a reference in an answer from here points: a `Location`, a `Link`. What is wrong with it is the server's fault.
    pub fn follow(&self, location: &str) -> Result<Self, Error> {
        let next = Self::read(&self.resolve(location))
            .map_err(|_| ErrorKind::Pointed { url: shown(&self.text), to: shown(location) })?;
        if self.https && !next.https {
            return Err(ErrorKind::Downgrade { url: shown(&self.text) }.into());
        }
        Ok(next)
    }

    /// The address that a reference stands for. Source: RFC 3986 §5.2.
    fn resolve(&self, reference: &str) -> String {
        let reference = reference.split('#').next().unwrap_or_default();
        let scheme = if self.https { "https" } else { "http" };
        if has_scheme(reference) {
            return reference.to_owned();
        }
        if reference.starts_with("//") {
            return format!("{scheme}:{reference}");
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let own_query = || self.text.split_once('?').map(|(_, query)| query);
        let query = if path.is_empty() { query.or_else(own_query) } else { query };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let path = match path {
            "" => self.path.clone(),
            whole if whole.starts_with('/') => without_dots(whole),
            below => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{below}"))
            }
        };
        format!("{scheme}://{}{path}{query}", self.host)
    }

    /// The address as it may be shown.
    pub fn shown(&self) -> String {
        shown(&self.text)
    }
}

/// Whether a reference begins with a scheme, and is an address of its own. Source: RFC 3986 §3.1.
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A path that begins with `/`, without `.` and `..`. Source: RFC 3986 §5.2.4.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
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
    use kiln_finding::{Class, Diagnose as _};

    use super::*;

    #[test]
    fn shows_no_secret() {
        assert_eq!(shown("https://me:pw@a.invalid:1/x?token=1"), "https://a.invalid:1/x");
        let url = Url::read("https://me:pw@A.invalid/x?y=1").unwrap();
        assert_eq!((url.text.as_str(), url.userinfo.as_deref()), ("https://a.invalid/x?y=1", Some("me:pw")));
    }

    #[test]
    fn follows_every_form_of_location() {
        let url = Url::read("https://a.invalid/x/y?old=1").unwrap();
        for (location, expected) in [
            ("https://b.invalid/z", "https://b.invalid/z"),
            ("//b.invalid/z", "https://b.invalid/z"),
            ("/z", "https://a.invalid/z"),
            ("z", "https://a.invalid/x/z"),
            ("HTTPS://b.invalid/z", "https://b.invalid/z"),
            ("z?to=https://c.invalid/", "https://a.invalid/x/z?to=https://c.invalid/"),
            ("/z?to=https://c.invalid/", "https://a.invalid/z?to=https://c.invalid/"),
            ("?sig=1", "https://a.invalid/x/y?sig=1"),
            ("", "https://a.invalid/x/y?old=1"),
            ("#here", "https://a.invalid/x/y?old=1"),
            ("z#here", "https://a.invalid/x/z"),
            ("../z", "https://a.invalid/z"),
            ("../../../z", "https://a.invalid/z"),
            ("./z/./w/..", "https://a.invalid/x/z/"),
            ("/z/", "https://a.invalid/z/"),
            ("./a:b", "https://a.invalid/x/a:b"),
        ] {
            assert_eq!(url.follow(location).unwrap().text, expected, "{location}");
        }
        for location in ["file:/etc/passwd", "file:///etc/passwd", "a:b", "//", "https://", "/\u{7f}"] {
            let error = url.follow(location).unwrap_err();
            // What a server says is no fault of whoever asks.
            assert_eq!(error.class(), Class::Remote { transient: false }, "{location}");
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
