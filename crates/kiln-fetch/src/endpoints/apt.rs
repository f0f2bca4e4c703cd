use crate::endpoints::Machine;
use crate::endpoints::machine::SETTINGS_MAX;
use crate::error::{Error, ErrorKind};

/// The suites of Debian's that a configured source may name.
const SUITES: [&str; 12] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "stable",
    "oldstable",
    "oldoldstable",
    "testing",
    "unstable",
    "experimental",
];

/// Addresses of Debian archives, the preferred first. What follows is `dists/` and `pool/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archives {
    /// The main archive.
    pub main: Vec<String>,
    /// The security archive.
    pub security: Vec<String>,
}

/// One configured place.
#[derive(Debug, Default)]
struct Source {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Option<String>,
}

impl Archives {
    /// What apt's sources name, both in one-line files and in deb822 files. Sources of others are left out.
    pub fn collect(machine: &Machine) -> Self {
        let mut found = Self::default();
        let mut sources = collect_sources(machine);
        // Where `-updates` is configured it is Debian's own; someone else may call a suite `stable`.
        sources.sort_by_key(|source| !source.suites.iter().any(|suite| suite.contains('-')));
        for source in sources.iter().filter(|source| source.may_be_debian()) {
            for uri in source.uris.iter().flat_map(|uri| expand(machine, uri)) {
                for suite in &source.suites {
                    let list = match place(suite) {
                        Some(Place::Main) => &mut found.main,
                        Some(Place::Security) => &mut found.security,
                        None => continue,
                    };
                    if !list.contains(&uri) {
                        list.push(uri.clone());
                    }
                }
            }
        }
        found
    }

    /// Addresses of the main archive, or the error that shows what to write into kiln.toml.
    pub fn main(&self) -> Result<&[String], Error> {
        known(&self.main, "Debian packages", "archive")
    }

    /// Addresses of the security archive, or the error that shows what to write into kiln.toml.
    pub fn security(&self) -> Result<&[String], Error> {
        known(&self.security, "Debian security updates", "security-archive")
    }
}

fn known<'a>(list: &'a [String], what: &str, key: &str) -> Result<&'a [String], Error> {
    if !list.is_empty() {
        return Ok(list);
    }
    let help = format!(
        "add to kiln.toml, with the address of a mirror:\n    [base]\n    {key} = \"https://<mirror>/<path>\""
    );
    Err(ErrorKind::NotConfigured { what: what.to_owned(), help }.into())
}

enum Place {
    Main,
    Security,
}

fn place(suite: &str) -> Option<Place> {
    let suite = suite.trim_end_matches('/');
    let (name, rest) = suite.find(['-', '/']).map_or((suite, ""), |at| suite.split_at(at));
    if !SUITES.contains(&name) {
        return None;
    }
    match rest {
        "" | "-updates" | "-backports" | "-proposed-updates" => Some(Place::Main),
        "-security" | "/updates" => Some(Place::Security),
        _ => None,
    }
}

impl Source {
    /// A source with a keyring of someone else's is someone else's.
    fn may_be_debian(&self) -> bool {
        let keyring = self.signed_by.as_deref();
        self.components.iter().any(|component| component == "main")
            && keyring.is_none_or(|keyring| keyring.contains("debian-") || !keyring.starts_with('/'))
    }
}

/// The addresses `uri` stands for: itself, or the lines of a mirror list.
fn expand(machine: &Machine, uri: &str) -> Vec<String> {
    let uri = uri.trim_end_matches('/').to_owned();
    if uri.starts_with("http://") || uri.starts_with("https://") {
        return vec![uri];
    }
    let Some(list) = uri.strip_prefix("mirror+file:") else { return Vec::new() };
    let path = format!("/{}", list.trim_start_matches('/'));
    let text = machine.text(&path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(|word| word.trim_end_matches('/').to_owned())
        .collect()
}

fn collect_sources(machine: &Machine) -> Vec<Source> {
    let mut sources = Vec::new();
    if let Some(text) = machine.text("/etc/apt/sources.list") {
        sources.extend(parse_lines(&text));
    }
    let folder = machine.root.join("etc/apt/sources.list.d");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    for file in files {
        let Ok(text) = kiln_disk::read_text(&file, SETTINGS_MAX) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(parse_lines(&text)),
            Some("sources") => sources.extend(parse_stanzas(&text)),
            _ => {}
        }
    }
    sources
}

/// `deb [option=value ...] uri suite component ...`. Source: sources.list(5).
fn parse_lines(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    let mut rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let mut signed_by = None;
    if let Some(inside) = rest.strip_prefix('[') {
        let (options, after) = inside.split_once(']')?;
        signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        rest = after.trim_start();
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by: signed_by.map(str::to_owned),
    })
}

fn parse_stanzas(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(source(&std::mem::take(&mut fields)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

fn source(fields: &[(String, String)]) -> Option<Source> {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let words = |name: &str| {
        field(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let off = field("enabled")
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "0"));
    if off || !words("types").iter().any(|kind| kind == "deb") {
        return None;
    }
    Some(Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: field("signed-by").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn collect(files: &[(&str, &str)]) -> Archives {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join("etc/apt").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Archives::collect(&Machine { root: folder.path().to_owned(), ..Machine::default() })
    }

    fn archives(main: &[&str], security: &[&str]) -> Archives {
        let owned = |list: &[&str]| list.iter().map(|&uri| uri.to_owned()).collect();
        Archives { main: owned(main), security: owned(security) }
    }

    #[test]
    fn one_line_sources() {
        let found = collect(&[(
            "sources.list",
            "# deb http://old.invalid/debian bookworm main\n\
             deb http://a.invalid/debian/ bookworm main contrib # ours\n\
             deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://a.invalid/debian bookworm-updates main\n\
             deb http://a.invalid/debian-security bookworm-security main\n\
             deb-src http://src.invalid/debian bookworm main\n\
             deb https://other.invalid/apt bookworm-pgdg main\n",
        )]);
        assert_eq!(found, archives(&["http://a.invalid/debian"], &["http://a.invalid/debian-security"]));
    }

    #[test]
    fn deb822_sources() {
        let found = collect(&[
            (
                "sources.list.d/debian.sources",
                "Types: deb deb-src\n# a comment\nURIs: https://a.invalid/debian\n https://b.invalid/debian\n\
                 Suites: trixie trixie-updates\nComponents: main\n\n\
                 Types: deb\nURIs: https://a.invalid/sec\nSuites: trixie-security\nComponents: main\n",
            ),
            (
                "sources.list.d/other.sources",
                "Types: deb\nURIs: https://other.invalid/\nSuites: stable\nComponents: main\nSigned-By: /etc/apt/keyrings/other.gpg\n\n\
                 Enabled: no\nTypes: deb\nURIs: https://off.invalid/\nSuites: trixie\nComponents: main\n",
            ),
        ]);
        assert_eq!(
            found,
            archives(&["https://a.invalid/debian", "https://b.invalid/debian"], &["https://a.invalid/sec"])
        );
    }

    #[test]
    fn mirror_lists_are_read() {
        let found = collect(&[
            ("sources.list", "deb mirror+file:///etc/apt/mirrors/debian.list bookworm main\n"),
            ("mirrors/debian.list", "https://a.invalid/debian\tpriority:1\nftp://no.invalid/\n"),
        ]);
        assert_eq!(found, archives(&["https://a.invalid/debian"], &[]));
    }

    #[test]
    fn nothing_configured_shows_the_line_to_add() {
        use kiln_finding::Diagnose as _;
        let none = collect(&[]);
        let error = none.main().unwrap_err();
        assert_eq!(error.code(), "fetch.not_configured");
        assert!(error.help().unwrap().contains("archive = "));
        assert!(none.security().unwrap_err().help().unwrap().contains("security-archive = "));
    }
}
