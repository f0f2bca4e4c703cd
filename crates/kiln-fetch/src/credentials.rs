use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::url::Url;

/// What to present to which host. It is never shown, and never sent anywhere else.
#[derive(Clone, Default)]
pub struct Credentials {
    /// `host[:port]/path` without a slash at the end, and the value of the `Authorization` header.
    by_place: BTreeMap<String, String>,
}

impl Credentials {
    /// Presents `token` as a bearer token below `place` (`host[:port][/path]`).
    pub fn bearer(&mut self, place: &str, token: &str) {
        self.add(place, format!("Bearer {token}"));
    }

    /// Presents a name and password, already encoded in base64, below `place`.
    pub fn basic_encoded(&mut self, place: &str, encoded: &str) {
        self.add(place, format!("Basic {encoded}"));
    }

    /// Presents `name:password` below `place`.
    pub fn basic(&mut self, place: &str, name_and_password: &str) {
        self.basic_encoded(place, &STANDARD.encode(name_and_password));
    }

    fn add(&mut self, place: &str, header: String) {
        let place = place.trim_start_matches('/').trim_end_matches('/');
        let (host, path) = place.find('/').map_or((place, ""), |at| place.split_at(at));
        self.by_place.insert(format!("{}{path}", host.to_ascii_lowercase()), header);
    }

    /// The same, as lines of an `.npmrc`, for a package manager that downloads on its own. It holds the secrets
    /// in clear: write it only where nobody else reads it.
    pub fn to_npmrc(&self) -> String {
        let line = |(place, header): (&String, &String)| match header.split_once(' ') {
            Some(("Bearer", token)) => format!("//{place}/:_authToken={token}\n"),
            Some((_, encoded)) => format!("//{place}/:_auth={encoded}\n"),
            None => String::new(),
        };
        self.by_place.iter().map(line).collect()
    }

    /// The same for yarn 2 and newer, which asks by the whole address of a registry: its setting and the value of it, by place
    /// (`//host/path`). `registries` are addresses that are asked, whose logins may lie above.
    pub fn to_yarn(&self, registries: &[&str]) -> BTreeMap<String, (&'static str, String)> {
        let asked = registries.iter().filter_map(|address| {
            let url = Url::read(address).ok()?;
            let header = self.header(&url)?;
            Some((format!("{}{}", url.host, url.path.trim_end_matches('/')), header))
        });
        let all = self.by_place.clone().into_iter().chain(asked);
        let login = |(place, header): (String, String)| {
            let (kind, value) = header.split_once(' ')?;
            let name = if kind == "Bearer" { "npmAuthToken" } else { "npmAuthIdent" };
            Some((format!("//{place}"), (name, value.to_owned())))
        };
        all.filter_map(login).collect()
    }

    /// The header for `url`: of the longest place it lies below.
    pub(crate) fn header(&self, url: &Url) -> Option<String> {
        if let Some(userinfo) = &url.userinfo {
            return Some(format!("Basic {}", STANDARD.encode(userinfo)));
        }
        let full = format!("{}{}", url.host, url.path);
        let below = |place: &str| {
            full.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.by_place
            .iter()
            .filter(|(place, _)| below(place))
            .max_by_key(|(place, _)| place.len())
            .map(|(_, header)| header.clone())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} places)", self.by_place.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_manager_is_told_the_same() {
        let mut credentials = Credentials::default();
        credentials.bearer("//a.invalid/npm/", "t");
        credentials.basic("//b.invalid/", "n:p");
        assert_eq!(credentials.to_npmrc(), "//a.invalid/npm/:_authToken=t\n//b.invalid/:_auth=bjpw\n");
    }

    #[test]
    fn a_secret_stays_with_its_place() {
        let mut credentials = Credentials::default();
        credentials.bearer("//A.invalid/npm/", "t");
        let header = |url: &str| credentials.header(&Url::read(url).unwrap());
        assert_eq!(header("https://a.invalid/npm/x").as_deref(), Some("Bearer t"));
        for elsewhere in
            ["https://a.invalid/npmx", "https://a.invalid:8/npm/x", "https://a.invalid.evil.invalid/npm/x"]
        {
            assert_eq!(header(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(format!("{credentials:?}"), "Credentials(1 places)");
    }
}
