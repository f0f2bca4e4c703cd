use super::change::{Change, Files};
use super::{find, run, usage};
use crate::tree;

fn plan<'a>(tree: &'a Files, kind: &str, name: &str) -> anyhow::Result<Change<'a>> {
    (find(kind).unwrap().plan)(tree, name)
}

/// Lines that are in `new` and not in `old`, in the place where they stand.
fn added(old: &str, new: &str) -> Vec<String> {
    let mut old = old.lines().peekable();
    new.lines().filter(|line| old.next_if_eq(line).is_none()).map(str::to_owned).collect()
}

#[test]
fn a_recipe_is_two_files_and_lines_in_their_places() {
    let tree = tree::files().unwrap();
    for (kind, name, lines) in [
        ("cataloger", "recipe_list", 2),
        ("check", "im777_recipe", 2),
        ("command", "recipe", 4),
        ("format", "recipe", 2),
        ("rule", "df777_recipe", 2),
    ] {
        let change = plan(&tree, kind, name).unwrap();
        assert_eq!(change.created.len(), 2, "{kind}");
        let added: Vec<String> =
            change.changed.iter().flat_map(|(path, text)| added(&tree[path], text)).collect();
        assert_eq!(added.len(), lines, "{kind}: {added:?}");
        assert!(added.iter().all(|line| line.contains("recipe")), "{kind}: {added:?}");
        for (path, text) in &change.created {
            assert!(!text.contains('@'), "{path}: {text}");
        }
    }
}

#[test]
fn what_is_there_or_is_no_name_is_refused() {
    let tree = tree::files().unwrap();
    for (kind, name, why) in [
        ("cataloger", "apk", "apk.rs is there already"),
        ("cataloger", "Apk", "no name"),
        ("cataloger", "../apk", "no name"),
        ("cataloger", "a__b", "no name"),
        ("cataloger", "", "no name"),
        ("cataloger", "mod", "means something else"),
        ("cataloger", "tests", "means something else"),
        ("check", "im001_other", "IM001 is there already; the next free one is IM0"),
        ("check", "na011_other", "NA011 is there already"),
        ("check", "df999_other", "ids are IM, NA, PK, SG"),
        ("check", "im99_other", "three digits"),
        ("check", "im999", "no id with a name"),
        ("check", "im999_Other", "no name"),
        ("command", "scan", "scan.rs is there already"),
        ("command", "harness", "harness.rs is there already"),
        ("command", "help", "not help"),
        ("command", "two_words", "one word"),
        ("format", "sarif", "sarif.rs is there already"),
        ("rule", "df023_other", "DF023 is there already"),
        ("rule", "df999_last_user_root", "df023_last_user_root.rs is there already"),
        ("rule", "im999_other", "ids are DF, NA"),
    ] {
        let refused = plan(&tree, kind, name).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains(why), "{kind} {name}: {refused}");
    }
}

#[test]
fn a_line_stands_where_the_order_has_it() {
    let tree = Files::from([("a.rs".to_owned(), "mod b;\npub(crate) mod d;\n\nmod a;\n".to_owned())]);
    for (line, wanted) in [
        ("mod a;", "mod a;\nmod b;\npub(crate) mod d;\n\nmod a;\n"),
        ("mod c;", "mod b;\nmod c;\npub(crate) mod d;\n\nmod a;\n"),
        ("mod e;", "mod b;\npub(crate) mod d;\nmod e;\n\nmod a;\n"),
    ] {
        let mut change = Change::of(&tree);
        change.sorted("a.rs", "mod ", line).unwrap();
        assert_eq!(change.changed["a.rs"], wanted);
    }
    let mut change = Change::of(&tree);
    assert!(change.sorted("a.rs", "mod ", "mod d;").is_err());
    assert!(change.sorted("a.rs", "use ", "use d;").is_err());
    assert!(change.sorted("b.rs", "mod ", "mod d;").is_err());
    assert!(change.changed.is_empty());
}

#[test]
fn nothing_is_written_where_a_file_is_in_the_way() {
    let root = std::env::temp_dir().join(format!("kiln-new-{:?}", std::thread::current().id()));
    std::fs::create_dir_all(root.join("b")).unwrap();
    std::fs::write(root.join("b/c"), "mine").unwrap();
    let tree = Files::from([("table".to_owned(), "a\n".to_owned())]);
    let mut change = Change::of(&tree);
    change.file("a".to_owned(), "new".to_owned()).unwrap();
    change.file("b/c".to_owned(), "new".to_owned()).unwrap();
    change.last("table", "a", "ab").unwrap();
    let refused = change.write(&root).unwrap_err().to_string();
    assert_eq!(refused, "b/c is there already");
    assert!(!root.join("a").exists() && !root.join("table").exists());
    assert_eq!(std::fs::read_to_string(root.join("b/c")).unwrap(), "mine");
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn who_asks_for_nothing_is_told_what_there_is() {
    for args in [&[][..], &["rule"], &["rule", "a", "b"], &["chek", "im999_a"]] {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let refused = run(&args).unwrap_err().to_string();
        assert!(refused.contains(&usage()), "{refused}");
    }
}
