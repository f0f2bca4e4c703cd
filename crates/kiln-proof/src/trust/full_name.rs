use kiln_images::{daemon_name, unforced};
use kiln_oci::{Reference, normal_pattern};

/// The full name of an image that a Dockerfile names: without tag and digest, with the host that Docker would ask. A place
/// on this machine, such as `oci:DIR:TAG`, is its own name; `registry:` and `store:` only say where to look.
pub(crate) fn full_name(text: &str) -> String {
    let text = unforced(text);
    if !is_place(text)
        && let Ok(reference) = text.parse::<Reference>()
    {
        return reference.normal_name();
    }
    match text.rsplit_once(':') {
        Some((place, tag)) if place.contains(':') && !tag.contains('/') => place.to_owned(),
        _ => text.to_owned(),
    }
}

/// The same for a pattern, which has a host if its first part can be one.
pub(super) fn completed(pattern: &str) -> String {
    let pattern = unforced(pattern);
    if is_place(pattern) { pattern.to_owned() } else { normal_pattern(pattern) }
}

fn is_place(text: &str) -> bool {
    ["oci:", "oci-archive:", "docker-archive:"].iter().any(|prefix| text.starts_with(prefix))
        || daemon_name(text).is_some()
}

#[cfg(test)]
mod tests {
    use kiln_trust::NamePattern;

    use super::*;

    #[test]
    fn names_and_patterns_are_completed_alike() {
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
            ("registry:5000/**", "registry:5000/team/app:1", true),
            ("store:5000/*", "store:5000/app", true),
            ("registry:r.example.invalid/**", "r.example.invalid/a:1", true),
            ("store:team/*", "team/app:1", true),
            ("registry", &format!("registry:2@sha256:{}", "0".repeat(64)), true),
        ] {
            let pattern = NamePattern::parse(&completed(pattern)).unwrap();
            assert_eq!(pattern.is_match(&full_name(name)), is_same, "{pattern:?} {name}");
        }
    }
}
