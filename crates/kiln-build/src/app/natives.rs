use kiln_oci::Arch;
use kiln_plan::Plan;
use kiln_rootfs::{Kind, RootPath, Tree};

use super::lower::Graphed;
use super::modules::{MODULES, tree_error};
use crate::engine::{Cache, Executor, Solver};
use crate::error::ErrorKind;
use crate::{Error, Key};

/// Words in paths of addons for other systems than Linux with glibc.
const OTHER_SYSTEMS: [&str; 8] =
    ["darwin", "win32", "windows", "freebsd", "openbsd", "android", "ios", "musl"];
/// Words in paths of addons, by CPU.
const CPUS: [(Arch, &[&str]); 2] =
    [(Arch::Amd64, &["x64", "x86_64", "amd64"]), (Arch::Arm64, &["arm64", "aarch64"])];
const OTHER_CPUS: [&str; 8] = ["ia32", "arm", "armv6", "armv7", "ppc64", "s390x", "riscv64", "loong64"];

/// Checks that each package whose native part the app needs has it for this machine.
pub fn check_natives<E: Executor, C: Cache>(
    plan: &Plan,
    arch: Arch,
    graphed: &Graphed,
    solver: &Solver<'_, E, C>,
) -> Result<(), Error> {
    if plan.addons.is_empty() {
        return Ok(());
    }
    let mut key = Key::new("natives").field("arch", arch.as_str());
    for step in [graphed.dependencies, graphed.app] {
        key.add("step", solver.key(step)?.as_bytes());
    }
    for name in &plan.addons {
        key.add("package", name.as_bytes());
    }
    let bare = solver.fact(key.finish(), || {
        let (installed, app) = (solver.names(graphed.dependencies)?, solver.names(graphed.app)?);
        let mut installed = installed.tree.clone();
        app.apply(&mut installed).map_err(tree_error)?;
        let bare = plan.addons.iter().find(|name| !has_addon(&installed, name, arch));
        Ok(bare.cloned().unwrap_or_default())
    })?;
    if bare.is_empty() { Ok(()) } else { Err(ErrorKind::NoAddon { package: bare, arch }.into()) }
}

/// Whether a package is there, and every copy of it has an addon for this machine, in itself or in a package of its own.
fn has_addon(installed: &Tree, name: &str, arch: Arch) -> bool {
    let folder = format!("/{MODULES}/{name}");
    let manifest = |path: &RootPath| path.join("package.json").ok().and_then(|path| installed.get(&path));
    let is_copy = |path: &RootPath| format!("/{path}").ends_with(&folder) && manifest(path).is_some();
    let copies: Vec<String> = installed
        .iter()
        .filter(|(path, entry)| matches!(entry.kind, Kind::Dir) && is_copy(path))
        .map(|(path, _)| format!("{path}/"))
        .collect();
    let apart = format!("{}-linux", name.rsplit('/').next().unwrap_or(name));
    let addons: Vec<&str> = installed
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|path| path.rsplit('.').next() == Some("node") && fits(path, arch))
        .collect();
    let has_its =
        |copy: &String| addons.iter().any(|addon| addon.starts_with(copy.as_str()) || addon.contains(&apart));
    !copies.is_empty() && copies.iter().all(has_its)
}

/// Whether the path of an addon names no other system or CPU than this one.
fn fits(path: &str, arch: Arch) -> bool {
    let path = path.rsplit_once("node_modules/").map_or(path, |(_, below)| below).to_lowercase();
    let mut words = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_other_cpu = |word: &str| {
        OTHER_CPUS.contains(&word) || CPUS.iter().any(|(cpu, names)| *cpu != arch && names.contains(&word))
    };
    !words.any(|word| OTHER_SYSTEMS.contains(&word) || is_other_cpu(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(paths: &[&str]) -> Tree {
        let mut tree = Tree::new();
        for path in paths {
            tree.insert_file(&format!("app/node_modules/{path}"), 0o755, *b"").unwrap();
        }
        tree
    }

    #[test]
    fn an_addon_is_for_this_machine() {
        let has = |paths: &[&str]| has_addon(&installed(paths), "sqlite", Arch::Amd64);
        for there in [
            "sqlite/build/Release/a.node",
            "sqlite/prebuilds/linux-x64/a.glibc.node",
            "sqlite/lib/binding/napi-v6-linux-glibc-x64/a.node",
            "@sqlite/sqlite-linux-x64/a.node",
        ] {
            assert!(has(&["sqlite/package.json", there]), "{there}");
        }
        for bare in [
            "sqlite/index.js",
            "sqlite/prebuilds/darwin-x64/a.node",
            "sqlite/prebuilds/linux-arm64/a.node",
            "sqlite/prebuilds/linux-x64/a.musl.node",
            "other/build/Release/a.node",
        ] {
            assert!(!has(&["sqlite/package.json", bare]), "{bare}");
        }
        // Under another name it was not compiled, and is not found.
        assert!(!has(&["other/index.js"]));
        let pnpm = ".pnpm/sqlite@1.0.0/node_modules/sqlite";
        assert!(has(&[&format!("{pnpm}/package.json"), &format!("{pnpm}/build/Release/a.node")]));
        // Compilers leave folders of the same name.
        assert!(has(&[
            "sqlite/package.json",
            "sqlite/build/Release/a.node",
            "sqlite/x/.deps/node_modules/sqlite/a.d"
        ]));
        // Each copy is loaded by somebody.
        let two = ["sqlite/build/Release/a.node", "x/node_modules/sqlite/package.json"];
        assert!(!has(&two));
    }
}
