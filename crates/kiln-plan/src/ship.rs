//! Which files reach the image: everything but what only a desk or the build needs.

use kiln_finding::size;
use kiln_node::AppFacts;
use kiln_rootfs::{Entry, Kind, RootPath, Tree};
use kiln_text::Glob;
use serde::Serialize;

use crate::error::ErrorKind;
use crate::{Error, Overrides, Start};

/// This file, which decides what is shipped, for keys of what was chosen by it.
pub const SHIP_CODE: &str = include_str!("ship.rs");

/// Folders at the top of a project that only a desk needs.
const DESK_FOLDERS: [&str; 7] = ["__mocks__", "__tests__", "coverage", "e2e", "spec", "test", "tests"];
/// Files at the top of a project that only the build needs, by their whole name in lower case.
const BUILD_FILES: [&str; 13] = [
    "bun.lock",
    "bunfig.toml",
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
];
/// Starts of names of such files.
const BUILD_BEGINNINGS: [&str; 8] = [
    "compose.y",
    "docker-compose",
    "dockerfile.",
    "eslint.config",
    "jest.config",
    "prettier.config",
    "tsconfig",
    "vitest.config",
];
/// What a build leaves beside its result, by the start of the path in the project.
const CACHES: [&str; 17] = [
    ".angular/",
    ".cache/",
    ".eslintcache",
    ".next/cache/",
    ".nx/",
    ".nyc_output/",
    ".parcel-cache/",
    ".rollup.cache/",
    ".rpt2_cache/",
    ".swc/",
    ".turbo/",
    ".vite/",
    ".yarn/build-state.yml",
    ".yarn/cache/",
    ".yarn/global/",
    ".yarn/install-state.gz",
    "coverage/",
];
/// What is served as it lies.
const SERVED: &str = "public/";
const TYPESCRIPT: [&str; 4] = [".ts", ".tsx", ".mts", ".cts"];

/// Which files of an app reach its image: all but what only a desk, a build or version control needs. Below the top of a project
/// nothing is left out for its name but settings and secrets; of what a build made, only its caches.
#[derive(Clone, Debug, Default)]
pub struct Shipping {
    /// Folders of projects, the deepest first, each with a slash at its end; the root is empty.
    projects: Vec<String>,
    /// Something is built from the sources.
    builds: bool,
    /// node runs the app from its TypeScript.
    runs_typescript: bool,
    include: Vec<Glob>,
    exclude: Vec<Glob>,
}

/// A file that stays out of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path in the app.
    pub path: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Why.
    pub why: &'static str,
}

impl Shipping {
    /// Of an app that starts so. The error names a pattern of kiln.toml that is none.
    pub(crate) fn of(
        facts: &AppFacts,
        overrides: &Overrides,
        start: &Start,
        builds: bool,
    ) -> Result<Self, Error> {
        let globs = |patterns: &[String]| -> Result<Vec<Glob>, Error> {
            let read = |pattern: &String| {
                Glob::parse(pattern).map_err(|why| {
                    ErrorKind::Pattern { pattern: pattern.clone(), why: why.to_string() }.into()
                })
            };
            patterns.iter().map(read).collect()
        };
        let mut projects: Vec<String> = facts.workspace.keys().map(|folder| format!("{folder}/")).collect();
        projects.sort_by_key(|folder| std::cmp::Reverse(folder.len()));
        projects.push(String::new());
        let (include, exclude) = (globs(&overrides.include)?, globs(&overrides.exclude)?);
        Ok(Self { projects, builds, runs_typescript: start.runs_typescript(), include, exclude })
    }

    /// Of one project, whose paths begin at its top.
    pub fn of_project(builds: bool) -> Self {
        let (include, exclude) = (Vec::new(), Vec::new());
        Self { projects: vec![String::new()], builds, runs_typescript: false, include, exclude }
    }

    /// Why a file of the app stays out of the image; `None` where it is shipped. `is_made` says that a build made it: it was not among
    /// the sources.
    pub fn leaves_out(&self, path: &RootPath, is_made: bool) -> Option<&'static str> {
        let text = path.as_str();
        if self.exclude.iter().any(|glob| glob.is_match(text)) {
            return Some("[image] exclude names it");
        }
        if self.include.iter().any(|glob| glob.is_match(text)) {
            return None;
        }
        let below =
            self.projects.iter().find_map(|project| text.strip_prefix(project.as_str())).unwrap_or(text);
        if is_made {
            let is_cache =
                CACHES.iter().any(|start| below.starts_with(start)) || text.ends_with(".tsbuildinfo");
            return is_cache.then_some("it is a cache of the build");
        }
        hidden(path).or_else(|| at_top(below)).or_else(|| self.only_built_from(below))
    }

    /// What follows `node_modules/` in a path, where that folder is one that a package manager fills: it lies in the folder of a
    /// project. A `node_modules` elsewhere was made by a build, and is its result.
    pub fn below_installed<'a>(&self, path: &'a RootPath) -> Option<&'a str> {
        let below =
            |project: &String| path.as_str().strip_prefix(project.as_str())?.strip_prefix("node_modules/");
        self.projects.iter().find_map(below)
    }

    /// Whether a path is that of such a folder itself.
    pub fn is_installed_folder(&self, path: &RootPath) -> bool {
        let is_of = |project: &String| path.as_str().strip_prefix(project.as_str()) == Some("node_modules");
        self.projects.iter().any(is_of)
    }

    fn only_built_from(&self, below: &str) -> Option<&'static str> {
        let is_source = self.builds && !self.runs_typescript && !below.starts_with(SERVED);
        (is_source && TYPESCRIPT.iter().any(|end| below.ends_with(end)))
            .then_some("the build reads it, and node does not")
    }

    /// The sources that stay out of the image.
    pub fn left_out(&self, sources: &Tree) -> Vec<LeftOut> {
        let of_file = |(path, entry): (&RootPath, &Entry)| {
            let Kind::File(content) = &entry.kind else { return None };
            let why = self.leaves_out(path, false)?;
            Some(LeftOut { path: path.to_string(), bytes: content.size(), why })
        };
        sources.iter().filter_map(of_file).collect()
    }
}

/// What is left out, together by its reason: a few names, how many files and bytes, and why.
pub fn shortly(left_out: &[LeftOut]) -> Vec<(String, &'static str)> {
    let mut reasons: Vec<&'static str> = left_out.iter().map(|file| file.why).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let told = |why| {
        let files: Vec<&LeftOut> = left_out.iter().filter(|file| file.why == why).collect();
        let names: Vec<&str> = files.iter().take(3).map(|file| file.path.as_str()).collect();
        let more = files.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let bytes = size(files.iter().map(|file| file.bytes).sum());
        (format!("{}{more} ({bytes})", names.join(", ")), why)
    };
    reasons.into_iter().map(told).collect()
}

/// What holds settings and secrets, or belongs to version control, wherever it lies.
fn hidden(path: &RootPath) -> Option<&'static str> {
    if path.parts().any(|part| matches!(part, ".git" | ".hg" | ".svn")) {
        return Some("it belongs to version control");
    }
    let name = path.file_name();
    let is_settings = name == ".env"
        || name.starts_with(".env.")
        || matches!(name, ".npmrc" | ".yarnrc" | ".netrc" | ".DS_Store");
    is_settings.then_some("it holds settings or secrets of one machine")
}

/// What is left out at the top of a project, by its name there.
fn at_top(below: &str) -> Option<&'static str> {
    let (top, is_file) = below.split_once('/').map_or((below, true), |(top, _)| (top, false));
    let name = top.to_lowercase();
    // `.well-known` and results of builds are served.
    if name.starts_with('.') && !matches!(name.as_str(), ".well-known" | ".next" | ".output") {
        return Some("it is for tools of a desk");
    }
    if !is_file {
        return DESK_FOLDERS.contains(&name.as_str()).then_some("only development needs it");
    }
    let is_build_file =
        BUILD_FILES.contains(&name.as_str()) || BUILD_BEGINNINGS.iter().any(|start| name.starts_with(start));
    if is_licence(&name) {
        return None;
    }
    if is_build_file {
        return Some("only the build needs it");
    }
    name.strip_suffix(".md").map(|_| "it is for readers of the sources")
}

/// Whether a path below a `node_modules` folder (whose parts are given from there on) is bookkeeping of a package
/// manager or a leftover of a compiler, which the app never loads and which may differ from run to run.
pub fn is_install_leftover(below: &str) -> bool {
    let mut parts = below.split('/');
    let first = parts.next().unwrap_or_default();
    if matches!(
        first,
        ".bin"
            | ".cache"
            | ".modules.yaml"
            | ".package-map.json"
            | ".pnpm-workspace-state-v1.json"
            | ".yarn-integrity"
            | ".yarn-state.yml"
    ) {
        return true;
    }
    let is_pnpm_lock = first == ".pnpm" && matches!(below, ".pnpm/lock.yaml" | ".pnpm/.modules.yaml");
    let has = |text: &str| format!("/{below}/").contains(text);
    is_pnpm_lock
        || has("/node_modules/.bin/")
        // What node-pre-gyp compiles in, before it moves the addon to its place.
        || has("/build-tmp-")
        || has("/build/Release/obj.target/")
        || has("/build/Release/.deps/")
        || has("/build/Release/obj/")
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

    fn shipping(builds: bool, runs_typescript: bool) -> Shipping {
        let projects = vec!["apps/api/".to_owned(), String::new()];
        Shipping { projects, builds, runs_typescript, include: Vec::new(), exclude: Vec::new() }
    }

    fn left(shipping: &Shipping, path: &str, is_made: bool) -> Option<&'static str> {
        shipping.leaves_out(&RootPath::new(path).unwrap(), is_made)
    }

    #[test]
    fn nothing_below_the_top_is_left_out_for_its_name() {
        for path in [
            "server.js",
            "package.json",
            "public/index.html",
            "views/a.ejs",
            "LICENSE.md",
            "locales/de.json",
            "docs/openapi.yaml",
            "public/docs/index.html",
            "public/test/a.html",
            "content/first-post.md",
            "certs/bundle.pem",
            "src/docs/index.js",
            "data/spec/a.json",
            "public/.well-known/a",
            "public/types.d.ts",
            "public/app.js.map",
            "src/tests/load.js",
            "a/kiln.toml",
            "apps/api/server.js",
            "apps/api/src/test/a.js",
            ".well-known/security.txt",
            "lib/a.ts",
        ] {
            assert_eq!(left(&shipping(false, false), path, false), None, "{path}");
        }
    }

    #[test]
    fn the_desk_is_left_out() {
        for path in [
            ".env",
            "config/.env.production",
            "apps/api/.env",
            ".npmrc",
            "README.md",
            "Dockerfile",
            "test/a.js",
            "apps/api/test/a.js",
            "apps/api/tsconfig.json",
            ".github/workflows/a.yml",
            "vendor/.git/config",
            "package-lock.json",
            "jest.config.js",
        ] {
            assert!(left(&shipping(false, false), path, false).is_some(), "{path}");
        }
    }

    #[test]
    fn a_build_ships_what_it_makes_and_not_what_it_reads() {
        let built = shipping(true, false);
        for path in ["src/server.ts", "src/view.tsx", "apps/api/src/a.mts"] {
            assert!(left(&built, path, false).is_some(), "{path}");
            assert_eq!(left(&shipping(true, true), path, false), None, "{path}");
        }
        assert_eq!(left(&built, "public/worker.ts", false), None);
        for path in [
            "dist/test/a.js",
            "dist/a.d.ts",
            "dist/docs/b.md",
            ".next/server/pages/docs.js",
            "dist/.env.js",
            "dist/a.js.map",
        ] {
            assert_eq!(left(&built, path, true), None, "{path}");
        }
        for path in [".next/cache/x", "apps/api/.turbo/a.log", "tsconfig.tsbuildinfo", "coverage/a.json"] {
            assert!(left(&built, path, true).is_some(), "{path}");
        }
    }

    #[test]
    fn who_writes_kiln_toml_decides() {
        let glob = |pattern: &str| vec![Glob::parse(pattern).unwrap()];
        let decided =
            Shipping { include: glob("test/**"), exclude: glob("**/*.map"), ..shipping(false, false) };
        assert_eq!(left(&decided, "test/fixtures/a.json", false), None);
        assert!(left(&decided, "dist/a.js.map", true).is_some());
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
            "a/build-tmp-napi-v3/Release/a.node",
            "a/build/Makefile",
            ".pnpm/a@1/node_modules/.bin/x",
            "a/README.md",
        ] {
            assert!(!is_module_file_shipped(path, false), "{path}");
        }
    }
}
