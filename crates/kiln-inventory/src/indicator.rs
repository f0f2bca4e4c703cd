use kiln_pkg::IndicatorKind;
use kiln_rootfs::{EntryKind, LayerEntry};

const SHELLS: &[&str] = &[
    "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "rbash", "sh", "tcsh", "toybox",
    "yash", "zsh",
];
const PACKAGE_MANAGERS: &[&str] = &[
    "apk", "apt", "apt-get", "aptitude", "bun", "bunx", "corepack", "dnf", "dpkg", "microdnf", "npm", "npx",
    "opkg", "pip", "pip3", "pnpm", "pnpx", "rpm", "yarn", "yarnpkg", "yum",
];
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o002;

/// Why an entry matters, by its path, kind and mode alone.
pub(crate) fn of(entry: &LayerEntry) -> Vec<IndicatorKind> {
    let mut found = Vec::new();
    let is_program = matches!(entry.kind, EntryKind::File | EntryKind::Symlink(_) | EntryKind::Hardlink(_));
    if is_program && is_in_bin(entry.path.as_str()) {
        let name = entry.path.file_name();
        if SHELLS.contains(&name) {
            found.push(IndicatorKind::Shell);
        }
        if PACKAGE_MANAGERS.contains(&name) {
            found.push(IndicatorKind::PackageManager);
        }
    }
    let is_file = matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_));
    if is_file && entry.mode & SETUID != 0 {
        found.push(IndicatorKind::SetUid);
    }
    if is_file && entry.mode & SETGID != 0 {
        found.push(IndicatorKind::SetGid);
    }
    if entry.xattrs.contains_key("security.capability") {
        found.push(IndicatorKind::FileCapabilities);
    }
    let shared_dir = entry.kind == EntryKind::Dir && entry.mode & STICKY == 0;
    if (is_file || shared_dir) && entry.mode & OTHERS_WRITE != 0 {
        found.push(IndicatorKind::WorldWritable);
    }
    let is_map =
        [".js.map", ".mjs.map", ".cjs.map", ".css.map"].iter().any(|end| entry.path.as_str().ends_with(end));
    if is_file && is_map && !entry.path.parts().any(|part| part == "node_modules") {
        found.push(IndicatorKind::SourceMap);
    }
    found
}

/// Whether the path lies in a folder of programs. `node_modules/.bin` is none: nothing there is on the search path.
fn is_in_bin(path: &str) -> bool {
    let folder = path.rsplit('/').nth(1);
    matches!(folder, Some("bin" | "sbin"))
}
