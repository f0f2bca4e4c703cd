//! Files made to exhaust or mislead: each ends as unread, with its path and its layer, and never as a clean result.

use kiln_pkg::{Ecosystem, Inventory};

use super::{DEBIAN, files, layer, names, stack};

fn one(path: &str, bytes: impl Into<std::sync::Arc<[u8]>>) -> Inventory {
    stack(&[layer(|tree| tree.insert_file(path, 0o755, bytes).unwrap())])
}

#[test]
fn what_is_too_large_or_too_deep_is_unread() {
    let package = "app/node_modules/a/package.json";
    let deep = format!(
        "{{\"name\":\"a\",\"version\":\"1.0.0\",\"license\":{}1{}}}",
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let large = format!("{{\"name\":\"a\",\"version\":\"1.0.0\",\"x\":\"{}\"}}", "x".repeat(100 << 20));
    let wide = (0..5000).map(|at| format!(",\"d{at}\":\"1\"")).collect::<Vec<_>>().concat();
    let wide = format!("{{\"name\":\"a\",\"version\":\"1.0.0\",\"dependencies\":{{\"d\":\"1\"{wide}}}}}");
    for (what, text) in [("deep", deep), ("large", large), ("wide", wide)] {
        let inventory = one(package, text.into_bytes());
        assert!(inventory.packages.is_empty(), "{what}");
        let unread = inventory.unread.first().unwrap_or_else(|| panic!("{what} is no clean result"));
        assert_eq!((unread.path.as_str(), unread.reader.as_str()), (package, "npm-package"), "{what}");
        assert!(unread.why.contains("(in the layer sha256:"), "{what}: {}", unread.why);
    }
}

#[test]
fn hostile_package_lists_are_unread_or_bounded() {
    let fields = "R:x\n".repeat(200_010);
    let apk = one("lib/apk/db/installed", format!("P:a\nV:1\n{fields}\n").into_bytes());
    assert!(apk.unread[0].why.contains("more than 200000 fields"), "{:?}", apk.unread);
    let nameless = one("lib/apk/db/installed", &b"V:1\n\nP:b\n\n"[..]);
    assert!(nameless.unread[0].why.contains("2 of its entries"), "{:?}", nameless.unread);
    let binary = one("var/lib/dpkg/status", vec![0xff; 1 << 20]);
    assert!(binary.packages.is_empty());
    // A known distribution whose list holds nothing.
    let empty = stack(&[files(&[DEBIAN, ("var/lib/dpkg/status", "")])]);
    assert!(empty.unread[0].why.contains("no list of its packages"), "{:?}", empty.unread);
}

#[test]
fn packages_that_depend_on_each_other_are_followed_once() {
    let text = |name: &str, needs: &str| {
        format!("{{\"name\":\"{name}\",\"version\":\"1.0.0\",\"dependencies\":{{\"{needs}\":\"1\"}}}}")
    };
    let inventory = stack(&[files(&[
        ("app/package.json", &text("app", "a")),
        ("app/node_modules/a/package.json", &text("a", "b")),
        ("app/node_modules/b/package.json", &text("b", "a")),
    ])]);
    assert_eq!(names(&inventory, Ecosystem::Npm), ["a 1.0.0", "app 1.0.0", "b 1.0.0"]);
    assert!(
        inventory
            .packages
            .iter()
            .filter(|package| package.name != "app")
            .all(|package| package.direct == ["a@1.0.0"])
    );
}

/// Links that lead to themselves, to each other and out of the root.
#[test]
fn links_lead_nowhere_endless() {
    let inventory = stack(&[layer(|tree| {
        tree.insert_file(
            "app/package.json",
            0o644,
            *br#"{"name":"app","dependencies":{"a":"1","b":"1","c":"1"}}"#,
        )
        .unwrap();
        tree.insert_symlink("app/node_modules/a", "a").unwrap();
        tree.insert_symlink("app/node_modules/b", "../node_modules/a").unwrap();
        tree.insert_symlink("app/node_modules/c", "../../../../../../etc").unwrap();
    })]);
    assert_eq!(inventory.packages.len(), 1);
    assert!(inventory.packages[0].depends_on.is_empty());
}
