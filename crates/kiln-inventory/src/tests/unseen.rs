//! What may be there and is told by no package.

use kiln_pkg::{Inventory, Unseen};
use kiln_rootfs::Tree;

use super::{files, stack};
use crate::{Machine, scan_folder};

fn folder(files: &[(&str, &str)]) -> Inventory {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
    }
    scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).unwrap()
}

/// `app: a, b | dist/server.js`
fn told(inventory: &Inventory) -> Vec<String> {
    let tell =
        |app: &Unseen| format!("{}: {} | {}", app.path, app.declared.join(", "), app.bundles.join(", "));
    inventory.unseen.iter().map(tell).collect()
}

const APP: &str = r#"{"name":"app","dependencies":{"a":"^1.0.0","@s/b":"1","own":"workspace:*"},
    "optionalDependencies":{"o":"1"},"devDependencies":{"d":"1"},"peerDependencies":{"p":"1"}}"#;
const A: (&str, &str) = ("app/node_modules/a/package.json", r#"{"name":"a","version":"1.0.0"}"#);
const B: (&str, &str) = ("app/node_modules/@s/b/package.json", r#"{"name":"@s/b","version":"1.0.0"}"#);

/// A program of webpack's.
fn bundle() -> String {
    format!("{}function __webpack_require__(id) {{}}", "x".repeat(4096))
}

#[test]
fn what_an_app_asks_for_and_has_not_is_said() {
    let app = ("app/package.json", APP);
    assert_eq!(told(&stack(&[files(&[app, A, B])])), Vec::<String>::new());
    assert_eq!(told(&stack(&[files(&[app, A])])), ["app: @s/b | "]);
    // What is installed where it can be counts where nothing at all is.
    assert_eq!(told(&stack(&[files(&[app])])), ["app: @s/b, a, o | "]);
    let wishes = ("app/package.json", r#"{"name":"app","optionalDependencies":{"o":"1"}}"#);
    assert_eq!(told(&stack(&[files(&[wishes])])), ["app: o | "]);
    assert_eq!(told(&stack(&[files(&[wishes, A])])), Vec::<String>::new());
    // A layer above takes it away.
    let gone = files(&[("app/node_modules/.wh.a", "")]);
    assert_eq!(told(&stack(&[files(&[app, A, B]), gone])), ["app: a | "]);
    // Fixtures and examples inside an app are none; what has no name is one.
    let inside = ("app/test/fixtures/package.json", r#"{"name":"x","dependencies":{"y":"1"}}"#);
    let tested = stack(&[files(&[app, A, B, inside])]);
    assert_eq!(told(&tested), Vec::<String>::new());
    let note = "1 manifest that asks for packages in folders of tests (__fixtures__, __tests__, fixtures, test, tests) passed over";
    assert_eq!(tested.notes, [note]);
    assert!(stack(&[files(&[app, A, B])]).notes.is_empty());
    let nameless = ("srv/package.json", r#"{"type":"module","dependencies":{"y":"1"}}"#);
    assert_eq!(told(&stack(&[files(&[nameless])])), ["srv: y | "]);
}

#[test]
fn what_a_bundler_wrote_is_said() {
    let text = bundle();
    let server = ("app/dist/server.js", text.as_str());
    assert_eq!(
        told(&stack(&[files(&[("app/package.json", APP), server])])),
        ["app: @s/b, a, o | app/dist/server.js"]
    );
    assert_eq!(told(&stack(&[files(&[server])])), ["/:  | app/dist/server.js"]);
    let bare = r#"{"name":"app"}"#;
    assert_eq!(told(&stack(&[files(&[("app/package.json", bare), server])])), ["app:  | app/dist/server.js"]);
}

#[test]
fn a_lock_file_says_what_is_installed_and_built_with() {
    let text = bundle();
    let lock = r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/@s/b":{"version":"1.0.0"},
        "node_modules/o":{"version":"1.0.0"},"node_modules/d":{"version":"1.0.0"}}}"#;
    let (app, server) = (("app/package.json", APP), ("app/dist/server.js", text.as_str()));
    let locked = folder(&[app, server, ("app/package-lock.json", lock)]);
    assert_eq!(told(&locked), Vec::<String>::new());
    assert_eq!(told(&folder(&[app, server])), ["app: @s/b, a, o | app/dist/server.js"]);
    let broken = folder(&[app, ("app/package-lock.json", "{")]);
    assert_eq!((told(&broken), broken.unread.len()), (vec!["app: @s/b, a, o | ".to_owned()], 1));
    let installed = folder(&[app, A, B, server, ("app/package-lock.json", lock)]);
    assert_eq!(told(&installed), Vec::<String>::new());
}

/// A folder with links, and its `package-lock.json` in which the project `p/a` is pinned.
fn linked(links: &[(&str, &str)], project: &str) -> Inventory {
    let lock = r#"{"lockfileVersion":3,"packages":{"":{"workspaces":["p/*"]},"node_modules/a":{"resolved":"p/a","link":true},
        "p/a":{"version":"1.0.0","dependencies":{"b":"1"}},"node_modules/b":{"version":"1.0.0"}}}"#;
    let mut tree = Tree::new();
    for (path, text) in [
        ("package.json", r#"{"name":"app","version":"1.0.0","workspaces":["p/*"]}"#),
        ("package-lock.json", lock),
        ("real/a/package.json", project),
    ] {
        tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
    }
    for (link, target) in links {
        tree.insert_symlink(link, target).unwrap();
    }
    scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).unwrap()
}

#[test]
fn a_project_that_is_linked_to_is_one_where_it_is_inside() {
    let asks = |name: &str| format!(r#"{{"name":"a","version":"1.0.0","dependencies":{{"{name}":"1"}}}}"#);
    let inside = linked(&[("p/a", "../real/a")], &asks("b"));
    assert_eq!((told(&inside), inside.unread.len()), (Vec::new(), 0));
    let own = inside.packages.iter().find(|package| package.name == "a").unwrap();
    assert_eq!(own.elsewhere, Some(kiln_pkg::Elsewhere::Own));
    assert_eq!(told(&linked(&[("p/a", "../real/a")], &asks("other"))), ["real/a: other | "]);
}

#[test]
fn a_project_outside_of_the_folder_is_unread() {
    let why = |inventory: &Inventory| -> Vec<String> {
        inventory.unread.iter().map(|unread| format!("{}: {}", unread.path, unread.why)).collect()
    };
    let plain = r#"{"name":"a","version":"1.0.0"}"#;
    for (link, target) in [("p/a", "../../ext"), ("p/a", "/ext"), ("p", "../ext")] {
        let said = why(&linked(&[(link, target)], plain));
        assert_eq!(said, [format!("{link}: the project that this link leads to lies outside of the folder")]);
    }
    let said = why(&folder(&[("app/package.json", r#"{"name":"x","workspaces":["../../out","p/*"]}"#)]));
    assert_eq!(said, ["app/package.json: its project `../../out` lies outside of the folder"]);
    let said = why(&folder(&[
        ("package.json", r#"{"name":"x"}"#),
        ("pnpm-workspace.yaml", "packages:\n  - '../out'\n"),
    ]));
    assert_eq!(said, ["pnpm-workspace.yaml: its project `../out` lies outside of the folder"]);
}

/// Packages without a name, by app.
fn nameless(inventory: &Inventory) -> Vec<String> {
    inventory.unseen.iter().map(|app| format!("{}: {}", app.path, app.nameless.join(", "))).collect()
}

#[test]
fn code_without_a_manifest_is_said() {
    let app = ("app/package.json", r#"{"name":"app"}"#);
    let bare = ("app/node_modules/minimist/index.js", "module.exports = 1");
    let said = ["app: app/node_modules/minimist"];
    assert_eq!(nameless(&stack(&[files(&[app, A, bare])])), said);
    assert_eq!(nameless(&folder(&[app, A, bare])), said);
    // A file of its own can be loaded, too; a layer above may name what one below has, or take the name away.
    assert_eq!(
        nameless(&stack(&[files(&[app, ("app/node_modules/m.js", "1")])])),
        ["app: app/node_modules/m.js"]
    );
    let named = ("app/node_modules/minimist/package.json", r#"{"name":"minimist","version":"1.2.8"}"#);
    assert!(nameless(&stack(&[files(&[app, bare]), files(&[named])])).is_empty());
    let taken = files(&[("app/node_modules/minimist/.wh.package.json", "")]);
    assert_eq!(nameless(&stack(&[files(&[app, bare, named]), taken.clone()])), said);
    assert!(nameless(&stack(&[files(&[app, bare, named]), taken.clone(), files(&[named])])).is_empty());
    let gone = files(&[("app/node_modules/.wh.minimist", "")]);
    assert!(nameless(&stack(&[files(&[app, bare, named]), taken, gone])).is_empty());
    // What tests work on, what is no code, and what nobody can load.
    // A folder of tests is one of an app.
    for path in [
        "test/node_modules/m/x.js",
        "usr/share/app/node_modules/m/x.js",
        "tests/x/node_modules/m",
        "app/node_modules/m",
    ] {
        assert_eq!(stack(&[files(&[app, A, (path, "1")])]).unseen.len(), 1, "{path}");
    }
    for path in [
        "app/test/node_modules/a/x.js",
        "app/node_modules/a/test/node_modules/b/x.js",
        "app/node_modules/@types/x/x.d.ts",
        "app/node_modules/.vite/x.js",
    ] {
        assert!(nameless(&stack(&[files(&[app, A, (path, "1")])])).is_empty(), "{path}");
    }
}

#[test]
fn what_a_source_map_names_or_a_bundler_may_have_written_is_said() {
    let app = |asks: &str| format!(r#"{{"name":"app","devDependencies":{{"{asks}":"1"}}}}"#);
    let (with, without) = (app("esbuild"), app("typescript"));
    let minified = "x".repeat(21 << 10);
    let server = ("app/dist/server.js", minified.as_str());
    let map = (
        "app/dist/server.js.map",
        r#"{"version":3,"sources":["../src/a.ts","../node_modules/ms/index.js"]}"#,
    );
    let own = ("app/dist/server.js.map", r#"{"version":3,"sources":["../src/a.ts"]}"#);
    let said = |manifest: &str, files_: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> =
            [("app/package.json", manifest)].into_iter().chain(files_.iter().copied()).collect();
        told(&stack(&[files(&all)]))
    };
    let bundle = ["app:  | app/dist/server.js"];
    assert_eq!(said(&with, &[server]), bundle, "nobody writes such lines, and the app has a bundler");
    assert_eq!(said(&without, &[server]), Vec::<String>::new());
    assert_eq!(said(&without, &[("app/dist/server.js", "1"), map]), bundle);
    assert_eq!(said(&without, &[("app/dist/server.js", "1"), own]), Vec::<String>::new());
    let inventory = stack(&[files(&[("app/package.json", &without), server, map])]);
    assert_eq!(inventory.unseen[0].built_in, ["ms"]);
}

#[test]
fn a_program_of_an_app_with_a_bundler_may_be_a_bundle() {
    let text = "const a = 1;\n".repeat(200);
    let program = ("app/dist/server.js", text.as_str());
    let may_be = |manifest: &str| {
        let inventory = stack(&[files(&[("app/package.json", manifest), program])]);
        inventory.unseen.first().map(|app| app.may_be_bundles.clone()).unwrap_or_default()
    };
    let with = r#"{"name":"app","devDependencies":{"rolldown-vite":"1"}}"#;
    assert_eq!(may_be(with), ["app/dist/server.js"]);
    assert!(may_be(r#"{"name":"app","devDependencies":{"typescript":"5"}}"#).is_empty());
    let sources = folder(&[("app/package.json", with), program]);
    assert!(sources.unseen.is_empty(), "what lies among sources is what somebody wrote");
}

#[test]
fn whose_a_program_is_follows_from_what_put_it_there() {
    let text = bundle();
    let bundles = |files_: &[(&str, &str)]| told(&stack(&[files(files_)]));
    for path in
        ["usr/app/dist/server.js", "usr/share/nginx/html/a.js", "var/lib/app/a.js", "opt/yarn-v1/a.js"]
    {
        assert_eq!(bundles(&[(path, &text)]), [format!("/:  | {path}")]);
    }
    let list = ("var/lib/dpkg/info/p.list", "/usr/share/p/a.js\n");
    assert!(bundles(&[list, ("usr/share/p/a.js", &text)]).is_empty());
    let yarn = ("opt/yarn-v1.22.22/package.json", r#"{"name":"yarn","version":"1.22.22"}"#);
    assert!(bundles(&[yarn, ("opt/yarn-v1.22.22/lib/cli.js", &text)]).is_empty());
}

/// An image with links.
fn with_links(links: &[(&str, &str)], rest: &[(&str, &str)]) -> Vec<String> {
    let inventory = stack(&[super::layer(|tree| {
        for (path, text) in rest {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        for (link, target) in links {
            tree.insert_symlink(link, target).unwrap();
        }
    })]);
    inventory.unseen.into_iter().flat_map(|app| app.nameless).collect()
}

#[test]
fn code_behind_a_link_is_said() {
    let app = ("app/package.json", r#"{"name":"app"}"#);
    let (named, code) =
        (("deps/m/package.json", r#"{"name":"m","version":"1.0.0"}"#), ("deps/m/index.js", "1"));
    assert_eq!(with_links(&[("app/node_modules", "../deps")], &[app, named, code]), ["app/node_modules"]);
    assert_eq!(
        with_links(&[("app/node_modules/@s", "../../deps")], &[app, named, code]),
        ["app/node_modules/@s"]
    );
    assert_eq!(with_links(&[("app/node_modules/m", "../../deps/m")], &[app, code]), ["app/node_modules/m"]);
    assert_eq!(
        with_links(&[("app/node_modules/m.js", "../../deps/m/index.js")], &[app, code]),
        ["app/node_modules/m.js"]
    );
    let list = ("var/lib/dpkg/info/p.list", "/usr/lib/node_modules\n");
    assert!(with_links(&[("usr/lib/node_modules", "../../deps")], &[list, app, named, code]).is_empty());
    for link in [
        ("app/node_modules/m", "../../deps/m"),
        ("app/node_modules/gone", "../../packages/gone"),
        ("app/node_modules", "../deps/node_modules"),
    ] {
        assert!(with_links(&[link], &[app, named, code]).is_empty(), "{link:?}");
    }
}

#[test]
fn a_lock_file_alone_says_what_nobody_looked_at() {
    let lists = |files_: &[(&str, &str)]| -> Vec<String> {
        stack(&[files(files_)]).unseen.into_iter().flat_map(|app| app.other_lists).collect()
    };
    let lock = ("app/package-lock.json", "{}");
    assert_eq!(lists(&[lock]), ["app/package-lock.json"]);
    assert!(lists(&[lock, ("app/package.json", r#"{"name":"app"}"#)]).is_empty());
    assert!(lists(&[lock, A]).is_empty());
    assert!(folder(&[lock]).unseen.is_empty(), "in a folder it is read");
}
