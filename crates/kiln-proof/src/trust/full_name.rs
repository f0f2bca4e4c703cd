use kiln_images::{daemon_name, place_name, place_pattern, unforced};
use kiln_oci::{Reference, normal_pattern};
use kiln_text::alternatives;

/// The full name of an image that a Dockerfile names: without tag and digest, with the host that Docker would ask. A place
/// on this machine, such as `oci:DIR:TAG`, is its own name; `registry:` and `store:` only say where to look.
pub(crate) fn full_name(text: &str) -> String {
    let bare = unforced(text);
    if bare == text
        && let Some(place) = place_name(text)
    {
        return match daemon_name(text).map(str::parse::<Reference>) {
            Some(Ok(reference)) => format!("docker:{}", reference.normal_name()),
            _ => place,
        };
    }
    match (bare.parse::<Reference>(), bare.rsplit_once(':')) {
        (Ok(reference), _) => reference.normal_name(),
        (Err(_), Some((place, tag))) if place.contains(':') && !tag.contains('/') => place.to_owned(),
        _ => bare.to_owned(),
    }
}

/// The same for a pattern, as all that its braces stand for; or why no name can match one of them.
pub(super) fn completed(pattern: &str) -> Result<Vec<String>, &'static str> {
    let all = alternatives(pattern).ok_or("its braces stand for too many names")?;
    all.iter().map(|one| completed_one(one)).collect()
}

fn completed_one(pattern: &str) -> Result<String, &'static str> {
    if pattern.trim() != pattern {
        return Err("no name begins or ends with a space");
    }
    let bare = unforced(pattern);
    if bare == pattern
        && let Some(place) = place_pattern(pattern)
    {
        return match daemon_name(pattern) {
            Some("*" | "**") => Ok("docker:*/**".to_owned()),
            Some(name) => Ok(format!("docker:{}", possible(name)?)),
            None if pattern.matches(':').count() > 1 => {
                Err("a rule is about places without the images in them")
            }
            None => Ok(place),
        };
    }
    possible(bare)
}

/// The one form of a pattern for names of images, where a name can match it.
fn possible(pattern: &str) -> Result<String, &'static str> {
    let normal = normal_pattern(pattern);
    let (host, path) = normal.split_once('/').unwrap_or(("", &normal));
    let is_open = |part: &str| part.contains(['*', '?', '[', '\\']);
    let is_name = |text: String| text.parse::<Reference>().is_ok();
    if !host.is_empty() && !is_open(host) && !is_name(format!("{host}/a")) {
        return Err("its host is none that a name can have");
    }
    if host.starts_with("\\[") && !is_name(format!("{}/a", host.replace('\\', ""))) {
        return Err("its host is none that a name can have");
    }
    let is_possible = |part: &str| is_open(part) || part.is_empty() || is_name(format!("r.example/{part}"));
    // Whoever writes a tag is told of it elsewhere.
    let path = path.split(['@', ':']).next().unwrap_or(path);
    let is_upper = outside_classes(path).any(|c| c.is_ascii_uppercase());
    if path.contains(char::is_whitespace) || is_upper || !path.split('/').all(is_possible) {
        return Err("parts of a name are lower-case letters and digits, joined by `.`, `_`, `__` or `-`");
    }
    Ok(normal)
}

/// What stands for itself.
fn outside_classes(text: &str) -> impl Iterator<Item = char> {
    let mut is_class = false;
    text.chars().filter(move |c| {
        is_class = *c == '[' || is_class && *c != ']';
        !is_class
    })
}

#[cfg(test)]
mod tests {
    use kiln_trust::NamePattern;

    use super::*;

    #[test]
    fn names_and_patterns_are_completed_alike() {
        let here = std::env::current_dir().unwrap();
        let here = here.to_str().unwrap();
        for (pattern, name, is_same) in [
            ("node", "node:24-slim", true),
            (
                "node",
                "docker.io/library/node@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                true,
            ),
            ("node", "index.docker.io/node:24", true),
            ("node", "registry-1.docker.io/library/node:24", true),
            ("node", "DOCKER.IO:443/library/node", true),
            ("index.docker.io/library/node", "node:24", true),
            ("Registry.Example.invalid:443/**", "registry.example.invalid/a", true),
            ("registry.example.invalid/**", "REGISTRY.example.invalid:443/a", true),
            ("docker.io/**", "index.docker.io/team/app", true),
            ("team/*", "team/app", true),
            ("team/*", "registry.example.invalid/team/app", false),
            ("registry.example.invalid/**", "registry.example.invalid/a/b:1", true),
            ("**", "oci:bases/node:24", true),
            ("oci:bases/node", "oci:bases/node:24", true),
            ("docker", "docker:cli", false),
            ("r.example.invalid/**", "registry:r.example.invalid/a:1", true),
            ("r.example.invalid/**", "store:r.example.invalid/a:1", true),
            ("registry", "registry:2", true),
            ("node", &format!("node@sha512:{}", "0".repeat(128)), true),
            ("localhost:5000/*", "localhost:5000/app", true),
            ("{docker.io,ghcr.io}/node", "node", true),
            ("{index.docker.io,ghcr.io}/library/python", "python:3", true),
            ("{docker.io/library,r.example}/{node,python}", "r.example/python", true),
            ("r.example/{app,web}-[A-Za-z0-9]*", "r.example/web-1", true),
            ("*.example/**", "r.example/a", true),
            ("[::1]:18023/**", "[::1]:18023/t/a:1", true),
            ("[::1]:18023/**", "[0:0:0:0:0:0:0:1]:18023/t/a:1", true),
            ("\\[::0001\\]:18023/**", "[::1]:18023/t/a:1", true),
            ("[::1]:18023/**", "[::2]:18023/t/a:1", false),
            ("oci:imgs", "oci:./imgs:a", true),
            ("oci:imgs", &format!("oci:{here}/imgs:a"), true),
            (&format!("oci:{here}/imgs"), "oci:imgs:a", true),
            (&format!("oci:{here}/*"), "oci:src/../imgs", true),
            ("oci:**", "oci:deep/imgs", true),
            ("oci:bases/*", "oci:/bases/a", false),
            ("oci-archive:a.tar", &format!("oci-archive:{here}/src/../a.tar:1"), true),
            ("oci:./imgs", "oci:deep/../imgs:a", true),
            ("oci:*", "oci:deep/../imgs:team/a", true),
            ("oci-archive:a.tar", "oci-archive:./a.tar", true),
            ("docker-archive:ad.tar", "docker-archive:./ad.tar:r.example/node:24", true),
            ("docker:node", "docker-daemon:docker.io/library/node:24", true),
            ("docker:*", "docker:team/app:1", true),
            ("docker:r.example/*", "docker:team/app:1", false),
            ("registry:docker:5000/**", "registry:docker:5000/app:1", true),
            ("registry:5000/**", "registry:5000/team/app:1", true),
            ("store:5000/*", "store:5000/app", true),
            ("registry:r.example.invalid/**", "r.example.invalid/a:1", true),
            ("store:team/*", "team/app:1", true),
            ("registry", &format!("registry:2@sha256:{}", "0".repeat(64)), true),
        ] {
            let patterns = completed(pattern).unwrap();
            let name = full_name(name);
            let is_match = patterns.iter().any(|one| NamePattern::parse(one).unwrap().is_match(&name));
            assert_eq!(is_match, is_same, "{pattern:?} {name}");
        }
    }

    #[test]
    fn a_pattern_that_no_name_can_match_is_refused() {
        for pattern in [
            " node",
            "node ",
            "r.example/A",
            "Team/app",
            "r.example/App-*",
            "x./**",
            "r.example:018021/**",
            "r.example:x/**",
            "[::1]:05000/**",
            "docker.io:0443/{node,python}",
            "{node,r.example/A}",
            "127.1:5000/**",
            "r.example/a b",
            "r.example/-a",
            "docker:Node",
            "oci:imgs:a",
            "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
        ] {
            assert!(completed(pattern).is_err(), "{pattern}");
        }
    }
}
