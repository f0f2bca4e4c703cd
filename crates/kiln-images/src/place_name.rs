//! The one name of a place on this machine, however its path is written.

use crate::archive::{daemon_name, file_and_name};
use crate::find::folder_and_tag;

/// Prefixes of places that are a path.
const LAYOUT: &str = "oci:";
const ARCHIVES: [&str; 2] = ["oci-archive:", "docker-archive:"];

/// The place that a text names, with its path in its one form and without the name of an image in it; `None` where it names none.
/// An image of the Docker daemon is `docker:NAME`.
pub fn place_name(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix(LAYOUT) {
        return Some(format!("{LAYOUT}{}", plain_path(&folder_and_tag(rest).0.to_string_lossy())));
    }
    for prefix in ARCHIVES {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Some(format!("{prefix}{}", plain_path(&file_and_name(rest).0.to_string_lossy())));
        }
    }
    daemon_name(text).map(|name| format!("docker:{name}"))
}

/// The same of a pattern for places, which names no image in them; `None` where it is about none.
pub fn place_pattern(text: &str) -> Option<String> {
    for prefix in [LAYOUT].into_iter().chain(ARCHIVES) {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Some(format!("{prefix}{}", plain_path(rest)));
        }
    }
    daemon_name(text).map(|name| format!("docker:{name}"))
}

/// A path without `.`, without `..` after a folder, and without slashes that say nothing.
fn plain_path(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            ("..", None) if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    match (root, parts.is_empty()) {
        ("", true) => ".".to_owned(),
        _ => format!("{root}{}", parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name() {
        for (text, name) in [
            ("oci:imgs", "oci:imgs"),
            ("oci:./imgs:a", "oci:imgs"),
            ("oci:imgs/:a", "oci:imgs"),
            ("oci:deep/../imgs:a", "oci:imgs"),
            ("oci:imgs:team/a", "oci:imgs"),
            ("oci://imgs", "oci:/imgs"),
            ("oci:/../x/./y:1", "oci:/x/y"),
            ("oci:../x:1", "oci:../x"),
            ("oci:../../x", "oci:../../x"),
            ("oci:.:1", "oci:."),
            ("oci-archive:./a.tar", "oci-archive:a.tar"),
            ("docker-archive:x/../ad.tar:r.example/node:24", "docker-archive:ad.tar"),
            ("docker-daemon:node:24", "docker:node:24"),
        ] {
            assert_eq!(place_name(text).as_deref(), Some(name), "{text}");
        }
        assert_eq!(place_name("node:24"), None);
        assert_eq!(place_pattern("oci:./bases/*").as_deref(), Some("oci:bases/*"));
        assert_eq!(place_pattern("oci-archive:**/./a.tar").as_deref(), Some("oci-archive:**/a.tar"));
        assert_eq!(place_pattern("team/*"), None);
    }
}
