use serde::{Deserialize, Serialize};

use crate::NpmArchive;

/// Where the code of a package is from, where that is not the registry of its ecosystem. What it is called is then no sign that
/// anything is known of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "at")]
pub enum Elsewhere {
    /// The app itself, or a project of its workspace.
    Own,
    /// A repository: `git+https://host.invalid/path.git#commit`.
    Repository(String),
    /// An archive or a folder, by its address or path.
    Address(String),
    /// It is marked as never published, and nothing tells where it is from.
    Unsaid,
}

/// Hosts that npm names by a word. Source: npm docs, "package.json", "Git URLs as Dependencies" and "GitHub URLs".
const HOSTED: &[(&str, &str)] =
    &[("github:", "github.com"), ("gitlab:", "gitlab.com"), ("bitbucket:", "bitbucket.org")];

impl Elsewhere {
    /// What npm, yarn, pnpm and bun take as what is asked for; `None` where that is a version or range of a registry, or one of its
    /// archives. No credentials are kept.
    pub fn of_npm(text: &str) -> Option<Self> {
        let text = &plain(text);
        if let Some((word, rest)) = hosted(text) {
            return Some(Self::Repository(at_host(word, rest)));
        }
        if is_repository(text) {
            return Some(Self::Repository(bare(text)));
        }
        if text.starts_with("http:") || text.starts_with("https:") {
            return NpmArchive::of(text).is_none().then(|| Self::Address(without_query(&bare(text))));
        }
        let paths = ["file:", "link:", "portal:", "./", "../", "/", "~/", "\\"];
        if paths.iter().any(|start| text.starts_with(start)) {
            return Some(Self::Address(text.clone()));
        }
        is_short_repository(text).then(|| Self::Repository(at_host("github.com", text)))
    }

    /// Where a package came from by what a package manager wrote down when it fetched it; `None` where a registry keeps that package at
    /// that version there, or another one whose archive the address names. Whatever else it is, it is not known.
    pub fn of_fetched(text: &str, name: &str, version: &str) -> Option<Self> {
        if NpmArchive::of(text).is_some() || NpmArchive::is_at(name, version, text) {
            return None;
        }
        let or_so = || Self::Address(without_query(&bare(&plain(text))));
        Some(Self::of_npm(text).unwrap_or_else(or_so))
    }

    /// Where it is from, in words.
    pub fn describe(&self) -> &str {
        match self {
            Self::Own => "the app's own",
            Self::Repository(at) | Self::Address(at) => at,
            Self::Unsaid => "marked as private",
        }
    }

    /// The qualifier of a purl that says it. Source: purl-spec, "Known qualifiers".
    pub(crate) fn qualifier(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Own | Self::Unsaid => None,
            Self::Repository(at) => Some(("vcs_url", at.replacen('#', "@", 1))),
            Self::Address(at) => Some(("download_url", at.clone())),
        }
    }

    /// What a qualifier of a purl says.
    pub(crate) fn of_qualifier(key: &str, value: &str, name: &str, version: &str) -> Option<Self> {
        match key {
            "vcs_url" => {
                let (place, commit) = value.rsplit_once('@').unwrap_or((value, ""));
                let is_commit = !commit.is_empty() && !commit.contains(['/', ':']);
                let text = if is_commit { format!("{place}#{commit}") } else { value.to_owned() };
                Some(Self::Repository(bare(&text)))
            }
            "download_url" => Self::of_fetched(value, name, version),
            _ => None,
        }
    }
}

fn hosted(text: &str) -> Option<(&'static str, &str)> {
    HOSTED.iter().find_map(|(word, host)| Some((*host, text.strip_prefix(word)?)))
}

fn at_host(host: &str, rest: &str) -> String {
    let (path, commit) = rest.split_once('#').unwrap_or((rest, ""));
    let commit = if commit.is_empty() { String::new() } else { format!("#{commit}") };
    format!("git+https://{host}/{}.git{commit}", path.trim_end_matches(".git"))
}

fn is_repository(text: &str) -> bool {
    let schemes = ["git+", "git:", "git@", "ssh:", "gist:", "hg+", "svn+"];
    let path = text.split(['#', '?']).next().unwrap_or_default();
    schemes.iter().any(|scheme| text.starts_with(scheme))
        || text.contains("://") && path.strip_suffix(".git").is_some()
}

/// `user/name`, with or without `#branch`, which npm takes for GitHub's; a scope begins with `@`.
fn is_short_repository(text: &str) -> bool {
    let path = text.split('#').next().unwrap_or_default();
    let fits = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let mut parts = path.split('/');
    matches!((parts.next(), parts.next(), parts.next()), (Some(user), Some(name), None) if fits(user) && fits(name))
}

/// As everybody reads an address: without blanks around it and line ends in it, with its scheme in small letters. Source: WHATWG, "URL
/// parsing".
fn plain(text: &str) -> String {
    let is_around = |c: char| c.is_ascii_control() || c.is_whitespace();
    let text = text.trim_matches(is_around).replace(['\t', '\n', '\r'], "");
    match text.split_once(':') {
        Some((scheme, rest))
            if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte)) =>
        {
            format!("{}:{rest}", scheme.to_ascii_lowercase())
        }
        _ => text,
    }
}

/// Without the user and password before a host, and without those of other commands' words.
fn bare(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '#', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn without_query(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    address.get(..end).unwrap_or(address).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_or_came_says_whether_it_is_from_a_registry() {
        for of_registry in [
            "^1.0.0",
            "1.x || >=2",
            "latest",
            "npm:lodash@4.17.20",
            "workspace:*",
            "https://npm.example.invalid/minimist/-/minimist-1.2.0.tgz",
            "https://art.example.invalid/api/npm/all/minimist/-/minimist-1.2.0.tgz",
            "",
        ] {
            assert_eq!(Elsewhere::of_npm(of_registry), None, "{of_registry}");
        }
        let repository = |text: &str| Some(Elsewhere::Repository(text.to_owned()));
        let address = |text: &str| Some(Elsewhere::Address(text.to_owned()));
        for (text, expected) in [
            (
                "git+ssh://git@host.invalid/a/b.git#c0ffee",
                repository("git+ssh://host.invalid/a/b.git#c0ffee"),
            ),
            ("git+https://user:secret@host.invalid/a/b.git", repository("git+https://host.invalid/a/b.git")),
            ("https://host.invalid/a/b.git#v1", repository("https://host.invalid/a/b.git#v1")),
            ("github:a/b#v1", repository("git+https://github.com/a/b.git#v1")),
            ("a/b", repository("git+https://github.com/a/b.git")),
            ("https://token@host.invalid/b.tgz?key=1", address("https://host.invalid/b.tgz")),
            ("file:../b", address("file:../b")),
            ("./b.tgz", address("./b.tgz")),
            ("HTTPS://host.invalid/b.tgz", address("https://host.invalid/b.tgz")),
            ("\thttps:/host.invalid/b.tgz", address("https:/host.invalid/b.tgz")),
            ("GIT+https://host.invalid/b", repository("git+https://host.invalid/b")),
            ("https://host.invalid/-/b.tgz", address("https://host.invalid/-/b.tgz")),
        ] {
            assert_eq!(Elsewhere::of_npm(text), expected, "{text}");
        }
    }

    #[test]
    fn what_was_fetched_is_the_registrys_only_where_that_is_plain() {
        let of = |text| Elsewhere::of_fetched(text, "b", "1.0.0").map(|from| from.describe().to_owned());
        for of_registry in [
            "https://npm.example.invalid/b/-/b-1.0.0.tgz",
            "https://npm.example.invalid/other/-/other-1.0.0.tgz",
            "https://npm.example.invalid/download/b/1.0.0/c0ffee",
        ] {
            assert_eq!(of(of_registry), None, "{of_registry}");
        }
        for elsewhere in
            ["https://host.invalid/b.tgz", "b/-/b-1.0.0.tgz", "https:host.invalid/x", "1.0.0", "x.tgz"]
        {
            assert_eq!(of(elsewhere).as_deref(), Some(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_purl_says_it() {
        let from = Elsewhere::of_npm("git+https://host.invalid/a/b.git#c0ffee").unwrap();
        let (key, value) = from.qualifier().unwrap();
        assert_eq!((key, value.as_str()), ("vcs_url", "git+https://host.invalid/a/b.git@c0ffee"));
        assert_eq!(Elsewhere::of_qualifier(key, &value, "b", "1.0.0"), Some(from));
    }
}
