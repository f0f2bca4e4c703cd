//! Nothing but kiln-disk changes what lies on a disk by its path.

use super::project::Tree;
use crate::tree::{code, has_word, is_rust, is_test};

/// The one door.
const DOOR: &str = "crates/kiln-disk/";
/// What goes by joined path names and through whatever link stands in the way.
const BY_PATH: [&str; 20] = [
    "fs::write",
    "fs::copy",
    "fs::rename",
    "fs::hard_link",
    "fs::create_dir",
    "fs::create_dir_all",
    "fs::remove_dir",
    "fs::remove_dir_all",
    "fs::remove_file",
    "fs::set_permissions",
    "fs::symlink",
    "fs::chown",
    "fs::lchown",
    "File::create",
    "File::create_new",
    "File::options",
    "OpenOptions",
    "DirBuilder",
    "CWD",
    "mknodat",
];

/// Each file that changes the disk by path must be one of those in `tidy.toml`, with its reason.
#[expect(clippy::unnecessary_wraps, reason = "a check may fail to look; this one cannot")]
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let sources = tree.files.iter().filter(|(path, _)| path.starts_with("crates/") && is_rust(path));
    for (path, text) in sources {
        let is_aside = is_test(path) || path.contains("/examples/") || path.contains("/src/bin/");
        let found = code(text).find_map(|(number, line)| Some((number, by_path(line)?)));
        let is_allowed = tree.allowed.disk.contains_key(path);
        match found {
            Some((number, word)) if !path.starts_with(DOOR) && !is_aside && !is_allowed => {
                problems.push(format!("{path}:{number}: {word}; only {DOOR} changes the disk by path"));
            }
            None if is_allowed => {
                problems.push(format!("xtask/tidy.toml: {path} needs no exemption of disk"));
            }
            _ => {}
        }
    }
    Ok(problems)
}

fn by_path(line: &str) -> Option<&'static str> {
    BY_PATH.iter().find(|word| has_word(line, word)).copied()
}

#[cfg(test)]
mod tests {
    use super::by_path;

    #[test]
    fn tells_calls_by_path_from_calls_of_the_door() {
        assert_eq!(by_path("    std::fs::write(&path, text)?;"), Some("fs::write"));
        assert_eq!(by_path("let file = File::create(path)?;"), Some("File::create"));
        assert_eq!(by_path("kiln_disk::own::rename(&a, &b)?;"), None);
        assert_eq!(by_path("step(\"x\", fs::create_dir_all(&root))?"), Some("fs::create_dir_all"));
    }
}
