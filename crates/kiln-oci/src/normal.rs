//! The one form of a name that has several spellings. Whatever compares names of images or hosts compares these.
//! Source: distribution/reference, `normalize.go`.

use crate::Reference;

/// Registries with several names: the one that people write, the host that answers for it, the others; by tabs.
const HOSTS: &str = include_str!("../data/hosts.tsv");
/// The registry of names without a host.
const DEFAULT_HOST: &str = "docker.io";
/// Where official images lie there.
const OFFICIAL: &str = "library";
/// The port of a host that is written without one.
const DEFAULT_PORT: &str = ":443";

fn aliases() -> impl Iterator<Item = impl Iterator<Item = &'static str>> {
    HOSTS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t'))
}

/// `host[:port]` as it is compared: lower case, an IPv6 address in the shortest of its spellings, without the port that every registry has, and by the one of its names that people
/// write. `localhost` stays itself.
pub fn normal_host(host: &str) -> String {
    let lower = ipv6_host(host).unwrap_or_else(|| host.to_ascii_lowercase());
    let bare = lower.strip_suffix(DEFAULT_PORT).unwrap_or(&lower);
    aliases()
        .find_map(|mut names| {
            let own = names.next()?;
            (own == bare || names.any(|name| name == bare)).then_some(own)
        })
        .unwrap_or(bare)
        .to_owned()
}

/// A host that is an IPv6 address in brackets, with its port, where it is one.
fn ipv6_host(host: &str) -> Option<String> {
    let (address, port) = host.strip_prefix('[')?.split_once(']')?;
    let address: core::net::Ipv6Addr = address.parse().ok()?;
    Some(format!("[{address}]{port}"))
}

/// The host of a pattern. Brackets around an IPv6 address have no other meaning there.
fn pattern_host(host: &str) -> String {
    match ipv6_host(&host.replace('\\', "")) {
        Some(ipv6) => normal_host(&ipv6).replace('[', "\\[").replace(']', "\\]"),
        None => normal_host(host),
    }
}

/// The host that answers for one in its normal form.
pub fn answering_host(host: &str) -> &str {
    aliases()
        .find_map(|mut names| {
            let (own, answers) = (names.next()?, names.next()?);
            (own == host).then_some(answers)
        })
        .unwrap_or(host)
}

/// The repository that a path means at a host in its normal form: at Docker's registry, a path of one part is an official image.
pub fn normal_path(host: &str, path: &str) -> String {
    let is_official = host == DEFAULT_HOST && !path.contains('/') && path != "**";
    if is_official { format!("{OFFICIAL}/{path}") } else { path.to_owned() }
}

impl Reference {
    /// The whole name in its one form, without tag and digest: `node`, `index.docker.io/node` and `DOCKER.IO:443/library/node` are
    /// `docker.io/library/node`.
    pub fn normal_name(&self) -> String {
        let host = self.host().map_or_else(|| DEFAULT_HOST.to_owned(), normal_host);
        let path = normal_path(&host, self.path());
        format!("{host}/{path}")
    }
}

/// The name and tag of an image in their one form; `None` of what is no name with a tag.
pub fn normal_image(text: &str) -> Option<String> {
    let reference: Reference = text.parse().ok()?;
    let tag = reference.tag.as_ref().filter(|_| !reference.is_pinned())?;
    Some(format!("{}:{tag}", reference.normal_name()))
}

/// A pattern for whole names as it is compared with [`Reference::normal_name`]. It has a host if its first part can be one, which may
/// hold `*`. A tag, where one is written, stays.
pub fn normal_pattern(pattern: &str) -> String {
    if matches!(pattern, "*" | "**") {
        return "**".to_owned();
    }
    let tag_at = pattern.rfind(':').filter(|&at| !pattern[at..].contains('/')).unwrap_or(pattern.len());
    let (name, tag) = pattern.split_at(tag_at);
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':', '*', '?', '[', '{']) || first == "localhost" => {
            (pattern_host(first), rest)
        }
        _ => (DEFAULT_HOST.to_owned(), name),
    };
    format!("{host}/{}{tag}", normal_path(&host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every spelling of one image.
    const NODE: [&str; 10] = [
        "node",
        "library/node",
        "docker.io/node",
        "docker.io/library/node",
        "index.docker.io/node",
        "index.docker.io/library/node",
        "registry-1.docker.io/library/node",
        "Docker.IO/library/node",
        "docker.io:443/node",
        "INDEX.docker.io:443/library/node",
    ];

    #[test]
    fn one_image_has_one_name() {
        for text in NODE {
            let name: Reference = format!("{text}:24").parse().unwrap();
            assert_eq!(name.normal_name(), "docker.io/library/node", "{text}");
            assert_eq!(normal_pattern(text), "docker.io/library/node", "{text}");
            assert_eq!(normal_pattern(&format!("{text}:*-slim")), "docker.io/library/node:*-slim", "{text}");
        }
    }

    #[test]
    fn different_images_have_different_names() {
        for (text, name) in [
            ("team/app", "docker.io/team/app"),
            ("localhost/app", "localhost/app"),
            ("localhost:443/app", "localhost/app"),
            ("localhost:5000/app", "localhost:5000/app"),
            ("R.example:5000/a/b:1", "r.example:5000/a/b"),
            ("r.example:8443/a", "r.example:8443/a"),
            ("docker.io.example/node", "docker.io.example/node"),
            ("r.example/node", "r.example/node"),
            ("[::1]:5000/app", "[::1]:5000/app"),
            ("[0:0:0:0:0:0:0:1]:5000/app", "[::1]:5000/app"),
            ("[::0001]:443/app", "[::1]/app"),
            ("[2001:DB8::A]/app", "[2001:db8::a]/app"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().normal_name(), name, "{text}");
        }
    }

    #[test]
    fn patterns_keep_what_they_leave_open() {
        for (pattern, normal) in [
            ("*", "**"),
            ("**", "**"),
            ("team/*", "docker.io/team/*"),
            ("docker.io/**", "docker.io/**"),
            ("docker.io/*", "docker.io/library/*"),
            ("*.example/base/**", "*.example/base/**"),
            ("**/node:*-slim", "**/node:*-slim"),
            ("*/node", "*/node"),
            ("localhost:5000/*", "localhost:5000/*"),
            ("[::0001]:5000/**", "\\[::1\\]:5000/**"),
            ("\\[::1\\]:443/a", "\\[::1\\]/a"),
            ("[ab].example/**", "[ab].example/**"),
        ] {
            assert_eq!(normal_pattern(pattern), normal, "{pattern}");
        }
    }
}
