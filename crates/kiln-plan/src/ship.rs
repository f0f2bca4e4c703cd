//! Which files reach the image: everything but what only a desk needs.

use kiln_rootfs::RootPath;

/// This file, which decides what is shipped, for keys of what was chosen by it.
pub const SHIP_CODE: &str = include_str!("ship.rs");

/// Folders that are never shipped, wherever they lie.
const FOLDERS: [&str; 14] = [
    ".git",
    ".github",
    ".husky",
    ".idea",
    ".vscode",
    "__mocks__",
    "__tests__",
    "coverage",
    "docs",
    "e2e",
    "node_modules",
    "spec",
    "test",
    "tests",
];
/// Files that are never shipped, by their whole name in lower case.
const FILES: [&str; 12] = [
    "dockerfile",
    "kiln.lock",
    "kiln.toml",
    "makefile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "procfile",
    "tsconfig.tsbuildinfo",
    "yarn.lock",
    "bun.lock",
];
/// Ends of names that are never shipped.
const ENDINGS: [&str; 13] = [
    ".d.cts",
    ".d.mts",
    ".d.ts",
    ".md",
    ".map",
    ".spec.js",
    ".test.js",
    ".test.mjs",
    ".spec.mjs",
    ".ts",
    ".tsx",
    ".cts",
    ".mts",
];
/// Starts of names that are never shipped.
const BEGINNINGS: [&str; 8] = [
    "tsconfig",
    "jest.config",
    "vitest.config",
    "eslint.config",
    "prettier.config",
    "docker-compose",
    "compose.y",
    "dockerfile.",
];

/// Why a file or folder of the app stays out of the image; `None` where it is shipped.
pub fn leaves_out(path: &RootPath, is_dir: bool) -> Option<&'static str> {
    let name = path.file_name().to_lowercase();
    let name = name.as_str();
    if is_dir && FOLDERS.contains(&name) {
        return Some("only development needs it");
    }
    // `.well-known` and `.next` are served; all other dot files are settings and secrets.
    if name.starts_with('.') && !matches!(name, ".well-known" | ".next" | ".output") {
        return Some("dot files hold settings and secrets");
    }
    if is_dir {
        return None;
    }
    if is_licence(name) {
        return None;
    }
    if FILES.contains(&name) || BEGINNINGS.iter().any(|start| name.starts_with(start)) {
        return Some("only the build needs it");
    }
    if ENDINGS.iter().any(|end| name.ends_with(end)) {
        return Some("node does not load it");
    }
    ["pem", "key", "p12", "pfx", "jks"]
        .iter()
        .any(|end| name.rsplit_once('.').is_some_and(|(_, ending)| ending == *end))
        .then_some("keys do not belong in images")
}

/// Whether a file of the app reaches the image.
pub fn is_shipped(path: &RootPath, is_dir: bool) -> bool {
    leaves_out(path, is_dir).is_none()
}

/// Whether a file is TypeScript that an app loads which node runs from it: no types alone, no tests.
pub fn is_typescript_loaded(path: &RootPath) -> bool {
    let name = path.file_name().to_lowercase();
    let is_source = [".ts", ".tsx", ".mts", ".cts"].iter().any(|end| name.ends_with(end));
    let is_other = [".d.ts", ".d.mts", ".d.cts", ".spec.ts", ".test.ts", ".spec.tsx", ".test.tsx"];
    is_source && !is_other.iter().any(|end| name.ends_with(end)) && !name.starts_with('.')
}

/// Whether a path below a `node_modules` folder (whose parts are given from there on) is bookkeeping of a package
/// manager or a leftover of a compiler, which the app never loads and which may differ from run to run.
pub fn is_install_leftover(below: &str) -> bool {
    let mut parts = below.split('/');
    let first = parts.next().unwrap_or_default();
    if matches!(
        first,
        ".bin" | ".cache" | ".modules.yaml" | ".pnpm-workspace-state-v1.json" | ".yarn-integrity"
    ) {
        return true;
    }
    let is_pnpm_lock = first == ".pnpm" && matches!(below, ".pnpm/lock.yaml" | ".pnpm/.modules.yaml");
    let has = |text: &str| format!("/{below}/").contains(text);
    is_pnpm_lock
        || has("/node_modules/.bin/")
        || has("/build/Release/obj.target/")
        || has("/build/Release/.deps/")
        || has("/build/Release/obj/")
        || has("/build/deps/")
        || ["/build/Makefile", "/build/config.gypi", ".o", ".a", ".mk", ".stamp"]
            .iter()
            .any(|end| has("/build/") && below.ends_with(end))
}

/// Whether a file below a `node_modules` folder reaches the image: not the leftovers, not what node never loads.
pub fn is_module_file_shipped(below: &str, is_dir: bool) -> bool {
    if is_install_leftover(below) {
        return false;
    }
    if is_dir {
        return true;
    }
    let name = below.rsplit('/').next().unwrap_or(below).to_lowercase();
    let unread =
        [".d.ts", ".d.cts", ".d.mts", ".map", ".md", ".markdown", ".flow", ".cc", ".cpp", ".gyp", ".gypi"];
    is_licence(&name) || !unread.iter().any(|end| name.ends_with(end))
}

/// Whether a file tells the terms of what it lies beside; `name` is in lower case.
fn is_licence(name: &str) -> bool {
    ["license", "licence", "notice", "copying"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(path: &str) -> bool {
        is_shipped(&RootPath::new(path).unwrap(), false)
    }

    #[test]
    fn the_app_is_shipped() {
        for path in [
            "dist/server.js",
            "package.json",
            "public/index.html",
            "views/a.ejs",
            "LICENSE.md",
            "locales/de.json",
        ] {
            assert!(shipped(path), "{path}");
        }
    }

    #[test]
    fn typescript_is_shipped_where_node_runs_it() {
        let loaded = |path: &str| is_typescript_loaded(&RootPath::new(path).unwrap());
        assert!(loaded("src/server.ts") && loaded("src/view.tsx") && loaded("a.mts"));
        assert!(!loaded("src/types.d.ts") && !loaded("src/a.test.ts") && !loaded("src/a.js"));
    }

    #[test]
    fn the_desk_is_not() {
        for path in
            [".env", ".npmrc", "src/app.ts", "README.md", "Dockerfile", "dist/a.js.map", "certs/server.key"]
        {
            assert!(!shipped(path), "{path}");
        }
        assert!(!is_shipped(&RootPath::new("test").unwrap(), true));
    }

    #[test]
    fn modules_keep_what_node_loads() {
        for path in
            ["express/index.js", "a/LICENSE.md", "a/build/Release/a.node", "a/package.json", ".pnpm/a@1/x.js"]
        {
            assert!(is_module_file_shipped(path, false), "{path}");
        }
        for path in [
            ".bin/tsc",
            ".modules.yaml",
            "a/index.d.ts",
            "a/build/Release/obj.target/a.o",
            "a/build/Makefile",
            ".pnpm/a@1/node_modules/.bin/x",
            "a/README.md",
        ] {
            assert!(!is_module_file_shipped(path, false), "{path}");
        }
    }
}
