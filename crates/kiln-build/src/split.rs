//! Cuts what the sandbox left into the two layers on top of the base.

use kiln_plan::{is_module_file_shipped, is_shipped};
use kiln_rootfs::{Error, Kind, RootPath, Tree};

/// Where the app lies in the image.
const APP: &str = "app";
const MODULES: &str = "node_modules";

/// The dependency layer: every `node_modules` folder of a production install, without leftovers.
pub(crate) fn dependencies(installed: &Tree) -> Result<Tree, Error> {
    let mut layer = Tree::new();
    layer.insert_dir(APP, 0o755)?;
    for (path, entry) in installed.iter() {
        let is_dir = matches!(entry.kind, Kind::Dir);
        let Some(below) = below_modules(path) else { continue };
        if below.is_empty() || is_kept_with_its_folders(below, is_dir) {
            layer.insert(RootPath::normalise(APP)?.join(path.as_str())?, entry.clone())?;
        }
    }
    Ok(layer)
}

/// The app layer: what the app ships of its sources and its build, without `node_modules`.
pub(crate) fn app(built: &Tree) -> Result<Tree, Error> {
    let mut layer = Tree::new();
    layer.insert_dir(APP, 0o755)?;
    for (path, entry) in built.iter() {
        // Folders appear with the files in them, so that an empty one is not shipped.
        if matches!(entry.kind, Kind::Dir) || below_modules(path).is_some() {
            continue;
        }
        let mut folders = std::iter::successors(path.parent(), RootPath::parent);
        if is_shipped(path, false) && folders.all(|folder| folder.is_root() || is_shipped(&folder, true)) {
            layer.insert(RootPath::normalise(APP)?.join(path.as_str())?, entry.clone())?;
        }
    }
    Ok(layer)
}

/// What follows the first `node_modules` of a path; `None` where there is none.
fn below_modules(path: &RootPath) -> Option<&str> {
    let text = path.as_str();
    let start = if text == MODULES || text.starts_with("node_modules/") {
        0
    } else {
        text.find("/node_modules/")
            .or_else(|| text.ends_with("/node_modules").then(|| text.len() - MODULES.len() - 1))?
            + 1
    };
    Some(text[start + MODULES.len()..].trim_start_matches('/'))
}

fn is_kept_with_its_folders(below: &str, is_dir: bool) -> bool {
    let folders = below.match_indices('/').map(|(at, _)| &below[..at]);
    is_module_file_shipped(below, is_dir)
        && folders.into_iter().all(|folder| is_module_file_shipped(folder, true))
}

/// Whether the layers hold the file that `node` is told to load, as node resolves it.
pub(crate) fn has_entry(app: &Tree, dependencies: &Tree, folder: &str, entry: &str) -> bool {
    let Ok(path) = RootPath::normalise(&format!("{APP}/{folder}/{entry}")) else { return false };
    let candidates = ["", ".js", ".mjs", ".cjs", ".json", "/index.js", "/package.json"];
    candidates.iter().any(|end| {
        let Ok(path) = RootPath::normalise(&format!("{path}{end}")) else { return false };
        [app, dependencies].iter().any(|tree| {
            tree.get(&path).is_some_and(|found| matches!(found.kind, Kind::File(_) | Kind::Symlink(_)))
        })
    })
}

/// Files of the app that could be meant in place of a missing entry: its JavaScript nearest to the top.
pub(crate) fn near_misses(app: &Tree) -> Vec<String> {
    let is_script = |path: &RootPath| [".js", ".mjs", ".cjs"].iter().any(|end| path.as_str().ends_with(end));
    let mut paths: Vec<&RootPath> = app.iter().map(|(path, _)| path).filter(|path| is_script(path)).collect();
    paths.sort_by_key(|path| (path.parts().count(), path.as_str().len()));
    let shown = paths.into_iter().take(3);
    shown.map(|path| format!("`{}`", path.as_str().trim_start_matches("app/"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        let mut tree = Tree::new();
        for path in paths {
            tree.insert_file(path, 0o644, *b"").unwrap();
        }
        tree
    }

    fn files(tree: &Tree) -> Vec<&str> {
        let is_file = |(_, entry): &(&RootPath, &kiln_rootfs::Entry)| !matches!(entry.kind, Kind::Dir);
        tree.iter().filter(is_file).map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn dependencies_are_all_module_folders_and_nothing_else() {
        let installed = tree(&[
            "package.json",
            "node_modules/.bin/x",
            "node_modules/a/index.js",
            "node_modules/a/build/Release/obj.target/a.o",
            "apps/api/node_modules/b/index.js",
            "apps/api/package.json",
            "my_node_modules/x.js",
        ]);
        assert_eq!(
            files(&dependencies(&installed).unwrap()),
            ["app/apps/api/node_modules/b/index.js", "app/node_modules/a/index.js"]
        );
    }

    #[test]
    fn the_app_is_all_the_rest_that_ships() {
        let built = tree(&[
            ".env",
            "dist/server.js",
            "dist/server.js.map",
            "node_modules/.cache/x",
            "package.json",
            "src/server.ts",
            "test/server.js",
        ]);
        assert_eq!(files(&app(&built).unwrap()), ["app/dist/server.js", "app/package.json"]);
    }

    #[test]
    fn entries_resolve_as_in_node() {
        let (app, dependencies) =
            (tree(&["app/dist/server.js", "app/x/index.js"]), tree(&["app/node_modules/n/b"]));
        for entry in ["dist/server.js", "dist/server", "./dist/server", "x", "node_modules/n/b"] {
            assert!(has_entry(&app, &dependencies, "", entry), "{entry}");
        }
        assert!(has_entry(&app, &dependencies, "dist", "server.js"));
        for entry in ["dist", "server.js", "../etc/passwd"] {
            assert!(!has_entry(&app, &dependencies, "", entry), "{entry}");
        }
    }
}
