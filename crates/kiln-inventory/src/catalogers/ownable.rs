use super::{java, node_binary};

/// Whether what lies at `path` may be read by a cataloger of packages, or start one: what a package owns of it is kept.
pub(crate) fn is_ownable(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_read = matches!(name, "package.json" | "METADATA" | "PKG-INFO") || java::is_archive(name);
    is_read || name.starts_with(node_binary::LIBRARY) || matches!(folder, "bin" | "sbin")
}
