use super::{bundle, is_package_folder, java, node_binary, other_lists};
use crate::nameless::is_modules;

/// Whether what lies at `path` may be read by a cataloger of packages, or start one: what a package owns of it is kept.
pub(crate) fn is_ownable(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_read = matches!(name, "package.json" | "METADATA" | "PKG-INFO") || java::is_archive(name);
    let is_code =
        bundle::is_script(name.strip_suffix(".map").unwrap_or(name)) || name.strip_suffix(".node").is_some();
    is_read
        || is_code
        || is_modules(path)
        || is_package_folder(path)
        || other_lists::whose(path).is_some()
        || name.starts_with(node_binary::LIBRARY)
        || matches!(folder, "bin" | "sbin")
}
