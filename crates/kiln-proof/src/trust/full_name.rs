use kiln_images::daemon_name;
use kiln_oci::Reference;

/// The full name of an image that a Dockerfile names: without tag and digest, with the host that Docker would ask. A place
/// on this machine, such as `oci:DIR:TAG`, is its own name; `registry:` only says where to look.
pub(crate) fn full_name(text: &str) -> String {
    let text = text.strip_prefix("registry:").unwrap_or(text);
    if !is_place(text)
        && let Ok(reference) = text.parse::<Reference>()
    {
        return reference.completed();
    }
    match text.rsplit_once(':') {
        Some((place, tag)) if place.contains(':') && !tag.contains('/') => place.to_owned(),
        _ => text.to_owned(),
    }
}

/// The same for a pattern, which has a host if its first part can be one.
pub(super) fn completed(pattern: &str) -> String {
    let first = pattern.split('/').next().unwrap_or_default();
    let can_be_host = first.contains(['.', ':', '*']) || first == "localhost";
    match (can_be_host, pattern.contains('/')) {
        _ if is_place(pattern) || pattern == "**" => pattern.to_owned(),
        (true, true) => pattern.to_owned(),
        (false, true) => format!("docker.io/{pattern}"),
        (_, false) => format!("docker.io/library/{pattern}"),
    }
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
            ("team/*", "team/app", true),
            ("team/*", "registry.example.invalid/team/app", false),
            ("registry.example.invalid/**", "registry.example.invalid/a/b:1", true),
            ("**", "oci:bases/node:24", true),
            ("oci:bases/node", "oci:bases/node:24", true),
            ("docker", "docker:cli", false),
            ("r.example.invalid/**", "registry:r.example.invalid/a:1", true),
            ("localhost:5000/*", "localhost:5000/app", true),
        ] {
            let pattern = NamePattern::parse(&completed(pattern)).unwrap();
            assert_eq!(pattern.is_match(&full_name(name)), is_same, "{pattern:?} {name}");
        }
    }
}
