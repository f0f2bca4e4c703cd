//! Cuts what the sandbox left into the two layers on top of the base.

use kiln_node::Linker;
use kiln_plan::Shipping;
use kiln_rootfs::{Delta, Entry, Kind, RootPath, Tree};

use super::modules::{MODULES, Modules, is_kept_with_its_folders, tree_error};
use super::pnp;
use crate::Error;
use crate::engine::Left;

/// Where the app lies in the image.
const APP: &str = "app";
/// This file, which decides what is shipped.
pub(super) const CODE: &str = include_str!("split.rs");

/// The dependency layer: every `node_modules` folder of a production install, without leftovers; with Plug'n'Play the table of packages
/// and their archives.
pub(super) fn dependencies(left: &Left, linker: Option<Linker>) -> Result<Delta, Error> {
    let mut layer = layer()?;
    for (path, entry) in left.tree.iter() {
        let is_dir = matches!(entry.kind, Kind::Dir);
        let Some(below) = below_app(path).and_then(below_modules) else { continue };
        if below.is_empty() || is_kept_with_its_folders(below, is_dir) {
            layer.insert(path.clone(), entry.clone()).map_err(tree_error)?;
        }
    }
    if linker == Some(Linker::Pnp) {
        pnp::add(&left.tree, &mut layer)?;
    }
    Ok(Delta::placing(with_files_of_links(layer, &left.tree)?))
}

/// The app layer: what the app ships of its sources and its build, and what the build did to the packages of production.
pub(super) fn app(left: &Left, source: &Tree, shipping: &Shipping) -> Result<Delta, Error> {
    let modules = Modules::beside(left);
    let mut layer = layer()?;
    for (path, entry) in left.tree.iter() {
        let Some(inside) = below_app(path) else { continue };
        // Folders appear with the files in them, so that an empty one is not shipped.
        if matches!(entry.kind, Kind::Dir) {
            continue;
        }
        let inside = RootPath::normalise(inside).map_err(tree_error)?;
        if shipping.is_installed_folder(&inside) {
            let what = format!("the build put something else in the place of the folder `{inside}`");
            let help = "let scripts change what is in node_modules, not node_modules itself".to_owned();
            return Err(Error::refused(what, Some(help)));
        }
        let is_shipped = match shipping.below_installed(&inside) {
            Some(below) => match &modules {
                Some(modules) => modules.keeps(path, below)?,
                None => false,
            },
            None => shipping.leaves_out(&inside, source.get(&inside).is_none()).is_none(),
        };
        if is_shipped {
            layer.insert(path.clone(), entry.clone()).map_err(tree_error)?;
        }
    }
    let mut delta = Delta::placing(with_files_of_links(layer, &left.tree)?);
    if let Some(modules) = modules {
        for path in left.removed.iter().filter(|path| modules.has(path)) {
            let is_anew = modules.has_folder(path) && delta.tree.get(path).is_some();
            if is_anew { &mut delta.opaque } else { &mut delta.removed }.insert(path.clone());
        }
    }
    Ok(delta)
}

fn layer() -> Result<Tree, Error> {
    let mut layer = Tree::new();
    layer.insert_dir(APP, 0o755).map_err(tree_error)?;
    Ok(layer)
}

/// A hard link to something that is not shipped becomes the file itself.
fn with_files_of_links(mut layer: Tree, all: &Tree) -> Result<Tree, Error> {
    let is_loose = |entry: &Entry| match &entry.kind {
        Kind::Hardlink(target) => layer.get(target).is_none(),
        _ => false,
    };
    let loose: Vec<_> = layer
        .iter()
        .filter(|(_, entry)| is_loose(entry))
        .map(|(path, entry)| (path.clone(), entry.clone()))
        .collect();
    for (path, link) in loose {
        let Kind::Hardlink(target) = &link.kind else { continue };
        if let Some(file) = all.get(target) {
            layer.insert(path, file.clone()).map_err(tree_error)?;
        }
    }
    Ok(layer)
}

/// The path in the folder of the app.
fn below_app(path: &RootPath) -> Option<&str> {
    path.as_str().strip_prefix(APP)?.strip_prefix('/')
}

/// What follows the first `node_modules` of a path; `None` where there is none.
fn below_modules(text: &str) -> Option<&str> {
    let start = if text == MODULES || text.starts_with("node_modules/") {
        0
    } else {
        text.find("/node_modules/")
            .or_else(|| text.ends_with("/node_modules").then(|| text.len() - MODULES.len() - 1))?
            + 1
    };
    Some(text[start + MODULES.len()..].trim_start_matches('/'))
}

/// Whether a layer holds the file that `node` is told to load, as node resolves it.
pub(super) fn has_entry(shipped: &Tree, folder: &str, entry: &str) -> bool {
    let Ok(path) = RootPath::normalise(&format!("{APP}/{folder}/{entry}")) else { return false };
    let candidates = ["", ".js", ".mjs", ".cjs", ".json", "/index.js", "/package.json"];
    candidates.iter().any(|end| {
        let Ok(path) = RootPath::normalise(&format!("{path}{end}")) else { return false };
        let found = shipped.resolve(&path, true).and_then(|path| shipped.get(&path));
        found.is_some_and(|found| !matches!(found.kind, Kind::Dir))
    })
}

/// Files of the app that could be meant in place of a missing entry: its JavaScript nearest to the top.
pub(super) fn near_misses(app: &Tree) -> Vec<String> {
    let is_script = |path: &RootPath| [".js", ".mjs", ".cjs"].iter().any(|end| path.as_str().ends_with(end));
    let is_there = |path: &&RootPath| app.resolve(path, true).is_some_and(|path| app.get(&path).is_some());
    let mut paths: Vec<&RootPath> =
        app.iter().map(|(path, _)| path).filter(|path| is_script(path)).filter(is_there).collect();
    paths.sort_by_key(|path| (path.parts().count(), path.as_str().len()));
    let shown = paths.into_iter().take(3);
    shown.map(|path| format!("`{}`", path.as_str().trim_start_matches("app/"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stack;

    fn tree(paths: &[&str]) -> Tree {
        let mut tree = Tree::new();
        for path in paths {
            tree.insert_file(path, 0o644, *b"").unwrap();
        }
        tree
    }

    fn left(tree: Tree) -> Left {
        Left { tree, ..Left::default() }
    }

    fn files(tree: &Tree) -> Vec<&str> {
        let is_file = |(_, entry): &(&RootPath, &kiln_rootfs::Entry)| !matches!(entry.kind, Kind::Dir);
        tree.iter().filter(is_file).map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn dependencies_are_all_module_folders_and_nothing_else() {
        let installed = tree(&[
            "app/package.json",
            "app/node_modules/.bin/x",
            "app/node_modules/a/index.js",
            "app/node_modules/a/build/Release/obj.target/a.o",
            "app/apps/api/node_modules/b/index.js",
            "app/apps/api/package.json",
            "app/my_node_modules/x.js",
            "root/node_modules/x.js",
        ]);
        assert_eq!(
            files(&dependencies(&left(installed), None).unwrap().tree),
            ["app/apps/api/node_modules/b/index.js", "app/node_modules/a/index.js"]
        );
    }

    #[test]
    fn the_app_is_all_the_rest_that_ships() {
        let built = tree(&[
            "app/.env",
            "app/dist/server.js",
            "app/dist/server.js.map",
            "app/node_modules/.cache/x",
            "app/package.json",
            "app/src/server.ts",
            "app/test/server.js",
            "etc/passwd",
            "appendix.js",
        ]);
        let source = tree(&[".env", "package.json", "src/server.ts", "test/server.js"]);
        let shipped = app(&left(built), &source, &Shipping::of_project(true)).unwrap().tree;
        // What the build made is shipped whatever it is called.
        assert_eq!(files(&shipped), ["app/dist/server.js", "app/dist/server.js.map", "app/package.json"]);
    }

    #[test]
    fn what_a_build_did_to_packages_of_production_ships() {
        let names = |paths: &[&str]| Stack::new(vec![Delta::placing(tree(paths)).into()]);
        let production = names(&["app/node_modules/ms/index.js", "app/node_modules/ms/gone.js"]);
        let installed = names(&["app/node_modules/ms/index.js", "app/node_modules/dev/index.js"]);
        let mut built = left(tree(&[
            "app/node_modules/ms/index.js",
            "app/node_modules/.prisma/client/index.js",
            "app/node_modules/generated/index.js",
            "app/node_modules/dev/index.js",
            "app/node_modules/.vite/deps/a.js",
            "app/node_modules/.bin/ms",
            "app/.output/server/node_modules/vue/index.js",
            "app/.output/server/node_modules/vue/types.d.ts",
        ]));
        built.removed = ["app/node_modules/ms/gone.js", "app/node_modules/dev"]
            .map(|path| RootPath::new(path).unwrap())
            .into();
        built.beside = vec![production.clone(), installed];
        let shipped = app(&built, &Tree::new(), &Shipping::of_project(true)).unwrap();
        let expected = [
            "app/.output/server/node_modules/vue/index.js",
            "app/.output/server/node_modules/vue/types.d.ts",
            "app/node_modules/.prisma/client/index.js",
            "app/node_modules/generated/index.js",
            "app/node_modules/ms/index.js",
        ];
        assert_eq!(files(&shipped.tree), expected);
        let removed: Vec<&str> = shipped.removed.iter().map(RootPath::as_str).collect();
        assert_eq!(removed, ["app/node_modules/ms/gone.js"]);
    }

    #[test]
    fn a_build_that_replaces_all_packages_stops() {
        let built = left(tree(&["app/node_modules", "app/nm2/ms/index.js"]));
        let error = app(&built, &Tree::new(), &Shipping::of_project(true)).unwrap_err();
        assert!(error.to_string().contains("node_modules"), "{error}");
    }

    /// yarn 1 hoists differently without packages for development.
    #[test]
    fn a_changed_package_that_production_has_elsewhere_stops() {
        let names = |paths: &[&str]| Stack::new(vec![Delta::placing(tree(paths)).into()]);
        let mut built = left(tree(&["app/node_modules/ms/index.js"]));
        built.beside = vec![
            names(&["app/node_modules/a/node_modules/ms/index.js"]),
            names(&["app/node_modules/ms/index.js"]),
        ];
        let error = app(&built, &Tree::new(), &Shipping::of_project(true)).unwrap_err();
        assert_eq!(kiln_finding::Diagnose::code(&error), "build.module_elsewhere");
    }

    #[test]
    fn another_name_of_what_stays_behind_is_the_file() {
        let (mut built, source) = (tree(&["app/src/a.ts"]), tree(&["src/a.ts"]));
        let link = Kind::Hardlink(RootPath::new("app/src/a.ts").unwrap());
        let attrs = built.get(&RootPath::new("app/src/a.ts").unwrap()).unwrap().attrs.clone();
        built.insert(RootPath::new("app/a.js").unwrap(), Entry { attrs, kind: link }).unwrap();
        let shipped = app(&left(built), &source, &Shipping::of_project(true)).unwrap().tree;
        assert!(matches!(shipped.get(&RootPath::new("app/a.js").unwrap()).unwrap().kind, Kind::File(_)));
    }

    #[test]
    fn entries_resolve_as_in_node() {
        let shipped = tree(&["app/dist/server.js", "app/x/index.js", "app/node_modules/n/b"]);
        for entry in ["dist/server.js", "dist/server", "./dist/server", "x", "node_modules/n/b"] {
            assert!(has_entry(&shipped, "", entry), "{entry}");
        }
        assert!(has_entry(&shipped, "dist", "server.js"));
        for entry in ["dist", "server.js", "../etc/passwd"] {
            assert!(!has_entry(&shipped, "", entry), "{entry}");
        }
    }
}
