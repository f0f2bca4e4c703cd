//! The one name of a place on this machine, however its path is written.

use std::path::Path;

use crate::archive::{daemon_name, file_and_name};
use crate::find::folder_and_tag;

/// Prefixes of places that are a path.
const LAYOUT: &str = "oci:";
const ARCHIVES: [&str; 2] = ["oci-archive:", "docker-archive:"];
/// What begins something in a part of a pattern that does not stand for itself.
const OPEN: [char; 5] = ['*', '?', '[', '{', '\\'];

/// The place that a text names, with its path from the root, through no link, and without the name of an image in it; `None` where it
/// names none. An image of the Docker daemon is `docker:NAME`.
pub fn place_name(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix(LAYOUT) {
        return Some(format!("{LAYOUT}{}", whole_path(&folder_and_tag(rest).0)));
    }
    for prefix in ARCHIVES {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Some(format!("{prefix}{}", whole_path(&file_and_name(rest).0)));
        }
    }
    daemon_name(text).map(|name| format!("docker:{name}"))
}

/// The same of a pattern for places, which names no image in them; `None` where it is about none.
pub fn place_pattern(text: &str) -> Option<String> {
    for prefix in [LAYOUT].into_iter().chain(ARCHIVES) {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Some(format!("{prefix}{}", whole_pattern(rest)));
        }
    }
    daemon_name(text).map(|name| format!("docker:{name}"))
}

/// A pattern from the root: what stands for itself at its beginning is a path, and the rest lies below.
fn whole_pattern(pattern: &str) -> String {
    let is_open = |part: &str| part.contains(OPEN);
    let parts: Vec<&str> = pattern.split('/').collect();
    let count = parts.iter().position(|part| is_open(part)).unwrap_or(parts.len());
    let (head, tail) = parts.split_at(count);
    let is_root = count < parts.len() && head == [""];
    let head = if is_root { "/".to_owned() } else { head.join("/") };
    let mut whole: String = whole_path(Path::new(&head)).chars().flat_map(literal).collect();
    for part in tail.iter().filter(|part| !matches!(**part, "" | ".")) {
        whole = format!("{}/{part}", whole.trim_end_matches('/'));
    }
    whole
}

/// A letter that stands for itself in a pattern.
fn literal(letter: char) -> impl Iterator<Item = char> {
    OPEN.contains(&letter).then_some('\\').into_iter().chain([letter])
}

/// A path from the root: through no link as far as it is there, and without `.`, `..` and slashes that say nothing in the rest.
fn whole_path(path: &Path) -> String {
    let path = std::env::current_dir().unwrap_or_default().join(path);
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, real)) = there else { return plain_path(&path.to_string_lossy()) };
    let rest = path.strip_prefix(above).unwrap_or(&path);
    plain_path(&real.join(rest).to_string_lossy())
}

/// A path from the root, without `.`, `..` and slashes that say nothing.
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

    /// The folder of the tests, as a part of names.
    fn here() -> String {
        std::env::current_dir().unwrap().canonicalize().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_place_has_one_name() {
        let here = here();
        let above = here.rsplit_once('/').unwrap().0;
        for (text, name) in [
            ("oci:imgs".to_owned(), format!("oci:{here}/imgs")),
            ("oci:./imgs:a".to_owned(), format!("oci:{here}/imgs")),
            ("oci:imgs/:a".to_owned(), format!("oci:{here}/imgs")),
            ("oci:deep/../imgs:a".to_owned(), format!("oci:{here}/imgs")),
            ("oci:imgs:team/a".to_owned(), format!("oci:{here}/imgs")),
            (format!("oci:{here}/imgs:1"), format!("oci:{here}/imgs")),
            (format!("oci:/{here}//imgs/."), format!("oci:{here}/imgs")),
            ("oci:src/../imgs".to_owned(), format!("oci:{here}/imgs")),
            ("oci://imgs".to_owned(), "oci:/imgs".to_owned()),
            ("oci:/../x/./y:1".to_owned(), "oci:/x/y".to_owned()),
            ("oci:../x:1".to_owned(), format!("oci:{above}/x")),
            ("oci:.:1".to_owned(), format!("oci:{here}")),
            ("oci-archive:./a.tar".to_owned(), format!("oci-archive:{here}/a.tar")),
            (
                "docker-archive:x/../ad.tar:r.example/node:24".to_owned(),
                format!("docker-archive:{here}/ad.tar"),
            ),
            ("docker-daemon:node:24".to_owned(), "docker:node:24".to_owned()),
        ] {
            assert_eq!(place_name(&text), Some(name), "{text}");
        }
        assert_eq!(place_name("node:24"), None);
        for (pattern, whole) in [
            ("oci:./bases/*".to_owned(), format!("oci:{here}/bases/*")),
            ("oci:*".to_owned(), format!("oci:{here}/*")),
            ("oci:**".to_owned(), format!("oci:{here}/**")),
            ("oci:/*/x".to_owned(), "oci:/*/x".to_owned()),
            (format!("oci:{here}/bases"), format!("oci:{here}/bases")),
            ("oci:bases//./x-?".to_owned(), format!("oci:{here}/bases/x-?")),
            ("oci-archive:**/./a.tar".to_owned(), format!("oci-archive:{here}/**/a.tar")),
        ] {
            assert_eq!(place_pattern(&pattern), Some(whole), "{pattern}");
        }
        assert_eq!(place_pattern("team/*"), None);
    }

    #[test]
    fn a_link_is_the_place_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("[a] b/deep")).unwrap();
        std::os::unix::fs::symlink(real.join("[a] b/deep"), real.join("link")).unwrap();
        let text = real.to_str().unwrap();
        let name = |path: &str| place_name(&format!("oci:{text}/{path}")).unwrap();
        assert_eq!(name("link/x"), format!("oci:{text}/[a] b/deep/x"));
        // As the system goes, and not as it is written.
        assert_eq!(name("link/../x"), format!("oci:{text}/[a] b/x"));
        assert_eq!(
            place_pattern(&format!("oci:{text}/link/*")).unwrap(),
            format!("oci:{text}/\\[a] b/deep/*")
        );
    }
}
