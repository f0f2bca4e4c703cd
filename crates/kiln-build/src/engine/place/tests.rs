use super::*;
use crate::engine::select::select;

fn tree(paths: &[&str]) -> Tree {
    let mut tree = Tree::new();
    for path in paths {
        match path.strip_suffix('/') {
            Some(folder) => tree.insert_dir(folder, 0o700).unwrap(),
            None => tree.insert_file(path, 0o640, *b"x").unwrap(),
        }
    }
    tree
}

/// What `COPY source… dest` changes over `below`, as path and permissions.
fn copied(below: &Tree, from: &Tree, sources: &[&str], dest: &str) -> Result<Vec<String>, Error> {
    let mut items = Vec::new();
    for source in sources {
        items.extend(select(from, source, false)?);
    }
    let below = |path: &RootPath| below.get(path);
    let placement = Placement { dest, owner: None, mode: None, excluded: &|_| false, below: &below };
    let placed = place(&items, &placement)?;
    Ok(placed.iter().map(|(path, entry)| format!("{path} {:o}", entry.attrs.mode)).collect())
}

#[test]
fn a_file_goes_into_a_folder_or_becomes_the_path() {
    let (nothing, from) = (Tree::new(), tree(&["a"]));
    assert_eq!(copied(&nothing, &from, &["a"], "/x/y").unwrap(), ["x 755", "x/y 640"]);
    assert_eq!(copied(&nothing, &from, &["a"], "/x/y/").unwrap(), ["x 755", "x/y 755", "x/y/a 640"]);
    assert_eq!(copied(&tree(&["x/"]), &from, &["a"], "/x").unwrap(), ["x 700", "x/a 640"]);
    assert_eq!(copied(&nothing, &from, &["a"], "/").unwrap(), ["a 640"]);
}

#[test]
fn a_folder_gives_its_content_and_not_its_name() {
    let from = tree(&["d/", "d/e/", "d/e/f"]);
    assert_eq!(copied(&Tree::new(), &from, &["d"], "/x").unwrap(), ["x 755", "x/e 700", "x/e/f 640"]);
}

#[test]
fn links_in_the_destination_are_followed_inside_the_image() {
    let mut below = tree(&["usr/bin/sh"]);
    below.insert_symlink("bin", "usr/bin").unwrap();
    below.insert_symlink("up", "../../../../etc").unwrap();
    let from = tree(&["a"]);
    assert_eq!(copied(&below, &from, &["a"], "/bin/").unwrap(), ["usr 755", "usr/bin 755", "usr/bin/a 640"]);
    assert_eq!(copied(&below, &from, &["a"], "/up/passwd").unwrap(), ["etc 755", "etc/passwd 640"]);
}

#[test]
fn what_is_in_the_way_is_said() {
    let error = |below: &[&str], dest: &str| {
        copied(&tree(below), &tree(&["a", "d/e/f"]), &["a"], dest).unwrap_err().to_string()
    };
    assert_eq!(error(&["x"], "/x/y"), "`/x` is there already and is no folder");
    let folder_over_file = copied(&tree(&["x/e"]), &tree(&["d/e/f"]), &["d"], "/x").unwrap_err();
    assert_eq!(folder_over_file.to_string(), "`/x/e` is there already and is no folder");
    let mut circle = Tree::new();
    circle.insert_symlink("l", "l").unwrap();
    let error = copied(&circle, &tree(&["a"]), &["a"], "/l/x").unwrap_err().to_string();
    assert_eq!(error, "`/l/x` leads in a circle of links");
}

#[test]
fn sources_are_found_or_named() {
    let from = tree(&["a.js", "b.ts", "d/c.js", "we[i]rd"]);
    let names = |source: &str| -> Vec<String> {
        select(&from, source, false).unwrap().iter().map(|item| item.path.to_string()).collect()
    };
    assert_eq!(names("*.js"), ["a.js"]);
    assert_eq!(names("*/*.js"), ["d/c.js"]);
    assert_eq!(names("?.??"), ["a.js", "b.ts"]);
    assert_eq!(names("../../a.js"), ["a.js"]);
    assert_eq!(names("nothing*"), [""; 0]);
    assert_eq!(names("we[[]i]rd"), ["we[i]rd"]);
    let error = select(&from, "missing.js", false).unwrap_err().to_string();
    assert_eq!(error, "`missing.js` is not there to be copied");
    assert!(select(&from, "[", false).is_err());
}

#[test]
fn parents_are_kept_from_the_pivot_on() {
    let from = tree(&["a/b/c"]);
    let kept = |source: &str| select(&from, source, true).unwrap()[0].keeps.clone().unwrap();
    assert_eq!(
        (kept("a/b/c"), kept("a/./b/c"), kept("**/c")),
        ("a/b/c".into(), "b/c".into(), "a/b/c".into())
    );
}

#[test]
fn owners_and_permissions_reach_everything_that_is_new() {
    let (below, from) = (tree(&["there/"]), tree(&["d/e"]));
    let below = |path: &RootPath| below.get(path);
    let placement = Placement {
        dest: "/there/new/",
        owner: Some((5, 6)),
        mode: Some(&|_, _| 0o4711),
        excluded: &|_| false,
        below: &below,
    };
    let placed = place(&select(&from, "d", false).unwrap(), &placement).unwrap();
    let attrs = |path: &str| {
        let attrs = &placed.get(&RootPath::new(path).unwrap()).unwrap().attrs;
        (attrs.uid, attrs.gid, attrs.mode)
    };
    assert_eq!(attrs("there"), (0, 0, 0o700));
    assert_eq!(attrs("there/new"), (5, 6, 0o711));
    assert_eq!(attrs("there/new/e"), (5, 6, 0o4711));
}
