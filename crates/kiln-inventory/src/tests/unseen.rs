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
    assert_eq!(told(&stack(&[files(&[app])])), ["app: @s/b, a | "]);
    // A layer above takes it away.
    let gone = files(&[("app/node_modules/.wh.a", "")]);
    assert_eq!(told(&stack(&[files(&[app, A, B]), gone])), ["app: a | "]);
    // Fixtures and examples inside an app are none; what has no name is one.
    let inside = ("app/test/fixtures/package.json", r#"{"name":"x","dependencies":{"y":"1"}}"#);
    assert_eq!(told(&stack(&[files(&[app, A, B, inside])])), Vec::<String>::new());
    let nameless = ("srv/package.json", r#"{"type":"module","dependencies":{"y":"1"}}"#);
    assert_eq!(told(&stack(&[files(&[nameless])])), ["srv: y | "]);
}

#[test]
fn what_a_bundler_wrote_is_said() {
    let text = bundle();
    let server = ("app/dist/server.js", text.as_str());
    assert_eq!(
        told(&stack(&[files(&[("app/package.json", APP), server])])),
        ["app: @s/b, a | app/dist/server.js"]
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
    assert_eq!(told(&folder(&[app, server])), ["app: @s/b, a | app/dist/server.js"]);
    let broken = folder(&[app, ("app/package-lock.json", "{")]);
    assert_eq!((told(&broken), broken.unread.len()), (vec!["app: @s/b, a | ".to_owned()], 1));
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
