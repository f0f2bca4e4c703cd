//! Code in `node_modules` that no manifest names: Node.js loads it by the name of its folder or file all the same.

use std::collections::HashMap;

const MODULES: &str = "node_modules/";

/// The packages of a layer in which code was met, each with the first file of it.
#[derive(Default)]
pub(crate) struct Code(HashMap<String, String>);

impl Code {
    /// Notes a file of the layer.
    pub(crate) fn add(&mut self, path: &str) {
        if let Some(place) = place(path).filter(|place| !self.0.contains_key(*place)) {
            self.0.insert(place.to_owned(), path.to_owned());
        }
    }

    /// The files that stand for packages of which `is_named` knows no manifest. Sorted.
    pub(crate) fn without(self, is_named: impl Fn(&str) -> bool) -> Vec<String> {
        let nameless = self.0.into_iter().filter(|(place, _)| !is_named(&format!("{place}/package.json")));
        let mut files: Vec<String> = nameless.map(|(_, file)| file).collect();
        files.sort();
        files
    }
}

/// Whether packages are loaded by their names in this folder: `node_modules`, or a scope in it.
pub(crate) fn is_modules(folder: &str) -> bool {
    let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let is_scope = name.starts_with('@') && above.rsplit('/').next() == Some("node_modules");
    name == "node_modules" || is_scope
}

/// What Node.js takes for code by its name.
pub(crate) fn is_code(path: &str) -> bool {
    [".js", ".cjs", ".mjs", ".node"].iter().any(|end| path.ends_with(end))
}

/// What Node.js loads the code at `path` by: the folder in `node_modules`, or the file that lies in it itself. What lies in other folders of a
/// package, as what its tests work on, is that package's; and so is what is for none to load (`.cache`).
/// Source: Node.js docs, "Loading from node_modules folders"; pnpm docs, "Symlinked node_modules structure".
pub(crate) fn place(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    // A file without an ending that lies there itself is code, too.
    let is_module = is_code(name) || is_modules(folder) && !name.contains('.');
    let first = path.find(MODULES).filter(|_| is_module)?;
    if first > 0 && !path.get(..first)?.ends_with('/') {
        return None;
    }
    let mut at = first + MODULES.len();
    loop {
        let rest = path.get(at..)?;
        if let Some(store) = rest.strip_prefix(".pnpm/") {
            let (id, inner) = store.split_once('/')?;
            inner.strip_prefix(MODULES)?;
            at += ".pnpm/".len() + id.len() + 1 + MODULES.len();
            continue;
        }
        let parts = if rest.starts_with('@') { 2 } else { 1 };
        let end = rest.match_indices('/').nth(parts - 1).map(|(end, _)| end);
        let end = end.filter(|_| !rest.starts_with('.'));
        match end {
            Some(end) if rest.get(end + 1..)?.starts_with(MODULES) => at += end + 1 + MODULES.len(),
            Some(end) => return path.get(..at + end),
            None => return (!rest.starts_with('.')).then_some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn code_is_loaded_by_its_folder_or_its_file() {
        for (path, expected) in [
            ("app/node_modules/a/index.js", Some("app/node_modules/a")),
            ("app/node_modules/@s/b/lib/x.cjs", Some("app/node_modules/@s/b")),
            ("node_modules/a.js", Some("node_modules/a.js")),
            ("app/node_modules/a/node_modules/b/x.js", Some("app/node_modules/a/node_modules/b")),
            (
                "app/node_modules/.pnpm/a@1.0.0/node_modules/a/x.js",
                Some("app/node_modules/.pnpm/a@1.0.0/node_modules/a"),
            ),
            ("app/node_modules/a/test/node_modules/b/x.js", Some("app/node_modules/a")),
            ("app/node_modules/minimist", Some("app/node_modules/minimist")),
            ("app/node_modules/@s/b", Some("app/node_modules/@s/b")),
            ("app/node_modules/.bin/a", None),
            ("app/node_modules/a/LICENSE", None),
            ("app/node_modules/.cache/x.js", None),
            ("app/node_modules/.pnpm/lock.js", None),
            ("app/node_modules/a/x.d.ts", None),
            ("app/my_node_modules/a/x.js", None),
            ("app/src/x.js", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
