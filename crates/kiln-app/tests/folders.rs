//! What is read of a folder, by whose rules, and what is said of the rest.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use kiln_app::{
    App, Around, BuildContext, DEPTH_MAX, Folder, INSTALLED, Reason, VERSION_CONTROL, dockerfiles,
};
use kiln_rootfs::{Kind, RootPath, Tree};
use tempfile::TempDir;

/// What is said of an app whose projects are not all in it.
fn outside(manifest: &str, more: &[(&str, &str)], link: Option<(&str, &str)>) -> String {
    let files = [&[("app/package.json", manifest), ("out/package.json", r#"{"name": "a"}"#)], more].concat();
    let folder = folder(&files);
    if let Some((link, target)) = link {
        let link = folder.path().join("app").join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, link).unwrap();
    }
    let failure = App::collect(&folder.path().join("app")).unwrap_err();
    assert_eq!(failure.code, "app.outside");
    failure.sentence()
}

#[test]
fn what_an_app_is_made_of_lies_in_its_folder() {
    let workspaces = |globs: &str| format!(r#"{{"name": "x", "workspaces": [{globs}]}}"#);
    let asks = |spec: &str| format!(r#"{{"name": "x", "devDependencies": {{"a": "{spec}"}}}}"#);
    let said = outside(&workspaces(r#""p/*""#), &[], Some(("p/a", "../../out")));
    assert_eq!(
        said,
        "cannot take in what the link `p/a` leads to, in the place of a project: it lies outside of the app's folder"
    );
    outside(&workspaces(r#""p/*""#), &[], Some(("p", "../out")));
    let said = outside(&workspaces(r#""../out""#), &[], None);
    assert!(said.contains("`../out`, which the workspace has as a project"), "{said}");
    let pnpm = [("app/pnpm-workspace.yaml", "packages: ['../out']")];
    outside(r#"{"name": "x"}"#, &pnpm, None);
    for spec in ["file:../out", "link:../out", "../out", "file:/out"] {
        let said = outside(&asks(spec), &[], None);
        assert!(said.contains(&format!("`a` from `{spec}`, as package.json asks")), "{said}");
    }
    outside(&asks("file:p/a"), &[], Some(("p/a", "../../out")));
    let below = [("app/p/b/package.json", r#"{"name": "b", "dependencies": {"a": "file:../../../out"}}"#)];
    let said = outside(&workspaces(r#""p/*""#), &below, None);
    assert!(said.contains("as p/b/package.json asks"), "{said}");
}

#[test]
fn a_project_that_is_linked_to_inside_the_app_is_one() {
    let folder = folder(&[
        (
            "package.json",
            r#"{"name": "x", "workspaces": ["p/*"], "dependencies": {"c": "file:libs/c", "d": "^1"}}"#,
        ),
        ("real/a/package.json", r#"{"name": "a", "dependencies": {"b": "file:../../libs/c"}}"#),
        ("libs/c/package.json", r#"{"name": "c"}"#),
        ("p/b/package.json", r#"{"name": "b"}"#),
    ]);
    symlink("../real/a", folder.path().join("p/a")).unwrap();
    symlink("/etc", folder.path().join("docs")).unwrap();
    let facts = App::collect(folder.path()).unwrap().facts;
    assert_eq!(facts.workspace.keys().collect::<Vec<_>>(), ["p/b", "real/a"]);
    let links: Vec<_> = facts.links.iter().map(|(link, target)| (link.as_str(), target.as_str())).collect();
    assert_eq!(links, [("p/a", "../real/a")]);
}

const PACKAGE: (&str, &str) = ("package.json", r#"{"name": "x", "scripts": {"build": "tsc"}}"#);

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn names(tree: &Tree) -> Vec<&str> {
    tree.iter().filter(|(_, entry)| !matches!(entry.kind, Kind::Dir)).map(|(path, _)| path.as_str()).collect()
}

fn shipped(folder: &Path) -> Vec<String> {
    App::collect(folder).unwrap().facts.files.iter().map(ToString::to_string).collect()
}

fn context(folder: &Path) -> Tree {
    BuildContext::open(folder, None).unwrap().files(&[RootPath::ROOT]).unwrap()
}

#[test]
fn what_dockerignore_names_is_no_part_of_an_app() {
    let folder = folder(&[
        (".dockerignore", "**/*.md\ndocs\n!docs/keep.json\npackage.json\n"),
        ("package.json", r#"{"name":"x"}"#),
        ("README.md", ""),
        ("docs/keep.json", "{}"),
        ("docs/dropped.json", "{}"),
        ("src/a.js", ""),
        ("src/NOTES.md", ""),
    ]);
    assert_eq!(shipped(folder.path()), [".dockerignore", "docs/keep.json", "package.json", "src/a.js"]);
}

#[test]
fn what_is_taken_in_again_brings_its_folders_as_they_are() {
    let folder = folder(&[
        (".dockerignore", "*\n!src/**\n!deep/*/x\n"),
        PACKAGE,
        ("src/a.js", ""),
        ("other/b.js", ""),
    ]);
    for (path, mode) in [("deep", 0o750), ("deep/er", 0o700), ("deep/none", 0o755)] {
        fs::create_dir(folder.path().join(path)).unwrap();
        fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(folder.path().join("deep/er/x"), "").unwrap();
    fs::set_permissions(folder.path().join("src"), fs::Permissions::from_mode(0o711)).unwrap();
    let tree = context(folder.path());
    let found: Vec<(&str, u32)> =
        tree.iter().map(|(path, entry)| (path.as_str(), entry.attrs.mode)).collect();
    let modes = |path: &str| found.iter().find(|(found, _)| *found == path).map(|(_, mode)| *mode);
    assert_eq!(names(&tree), ["deep/er/x", "src/a.js"]);
    assert_eq!((modes("deep"), modes("deep/er"), modes("src")), (Some(0o750), Some(0o700), Some(0o711)));
    assert_eq!(modes("deep/none"), None, "a folder of which nothing is taken is not there: {found:?}");
    // What is shipped is the same but for what kiln plans from, and depends on no umask.
    let app = App::collect(folder.path()).unwrap();
    assert_eq!(names(&app.tree), ["deep/er/x", "package.json", "src/a.js"]);
    let is_plain = |mode: u32| matches!(mode, 0o644 | 0o755);
    assert!(app.tree.iter().all(|(_, entry)| is_plain(entry.attrs.mode)));
}

#[test]
fn one_path_of_a_context_is_read_as_a_part_of_it() {
    let folder =
        folder(&[(".dockerignore", "*\n!a/b/**\na/b/no\n"), ("a/b/c/x", ""), ("a/b/no", ""), ("a/y", "")]);
    symlink("a/b", folder.path().join("link")).unwrap();
    fs::set_permissions(folder.path().join("a"), fs::Permissions::from_mode(0o700)).unwrap();
    let context = BuildContext::open(folder.path(), None).unwrap();
    let files = |path: &str| context.files(&[RootPath::normalise(path).unwrap()]).unwrap();
    for path in ["", "a", "a/b", "a/b/c/x"] {
        let tree = files(path);
        assert_eq!(names(&tree), ["a/b/c/x"], "{path}");
        assert_eq!(tree.get(&RootPath::new("a").unwrap()).unwrap().attrs.mode, 0o700, "{path}");
    }
    assert!(files("a/y").is_empty() && files("link").is_empty() && files("gone").is_empty());
}

#[test]
fn a_dockerfile_may_have_its_own_list() {
    let folder =
        folder(&[(".dockerignore", "a\n"), ("other.Dockerfile.dockerignore", "b\n"), ("a", ""), ("b", "")]);
    let own = folder.path().join("other.Dockerfile");
    let tree = BuildContext::open(folder.path(), Some(&own)).unwrap().files(&[RootPath::ROOT]).unwrap();
    assert_eq!(names(&tree), [".dockerignore", "a", "other.Dockerfile.dockerignore"]);
}

#[test]
fn without_dockerignore_git_says_what_the_build_makes_again() {
    let folder = folder(&[
        PACKAGE,
        (
            ".gitignore",
            "dist/*\n!dist/keep.js\n/coverage\n*.tsbuildinfo\n.env*\nconfig/\nuploads\nsecret.key\nlib\n!/web/lib\n",
        ),
        ("dist/old.js", ""),
        ("dist/deep/old.js", ""),
        ("dist/keep.js", ""),
        ("coverage/index.html", ""),
        ("web/coverage/kept.html", ""),
        ("tsconfig.tsbuildinfo", ""),
        (".env.local", ""),
        ("config/local.json", ""),
        ("uploads/a", ""),
        ("secret.key", ""),
        ("api/lib/out.js", ""),
        ("web/lib/source.js", ""),
        // Nested: nearer files decide, and what is left out is not taken in again below.
        ("api/.gitignore", "!coverage\n/out/\n"),
        ("api/coverage/x", ""),
        ("api/out/x", ""),
        ("api/deep/out/x", ""),
        ("api/out/.gitignore", "!x\n"),
        ("build/kept.js", ""),
        ("node_modules/a/index.js", ""),
        (".git/config", ""),
        ("kiln.lock", ""),
    ]);
    let expected = [
        ".env.local",
        ".gitignore",
        "api/.gitignore",
        "api/coverage/x",
        "api/deep/out/x",
        "build/kept.js",
        "config/local.json",
        "dist/keep.js",
        "package.json",
        "secret.key",
        "uploads/a",
        "web/coverage/kept.html",
        "web/lib/source.js",
    ];
    assert_eq!(shipped(folder.path()), expected);
    // With a `.dockerignore`, git has no say.
    fs::write(folder.path().join(".dockerignore"), "uploads\n").unwrap();
    let shipped: BTreeSet<String> = shipped(folder.path()).into_iter().collect();
    assert!(shipped.contains("dist/old.js") && shipped.contains("coverage/index.html"), "{shipped:?}");
    assert!(!shipped.contains("uploads/a") && !shipped.contains("node_modules/a/index.js"), "{shipped:?}");
}

#[test]
fn without_a_build_script_nothing_is_made_again() {
    let files = [
        ("package.json", r#"{"workspaces": ["apps/*"]}"#),
        (".gitignore", "dist\ncoverage\n"),
        ("dist/server.js", ""),
        ("coverage/x", ""),
        ("apps/api/package.json", r#"{"scripts": {"build": "tsc"}}"#),
        ("apps/api/dist/x", ""),
        ("apps/web/package.json", "{}"),
        ("apps/web/dist/x", ""),
    ];
    let folder = folder(&files);
    let expected = [
        ".gitignore",
        "apps/api/package.json",
        "apps/web/dist/x",
        "apps/web/package.json",
        "dist/server.js",
        "package.json",
    ];
    assert_eq!(shipped(folder.path()), expected);
}

#[test]
fn pipes_sockets_and_devices_hold_nothing_and_are_not_waited_for() {
    let folder = folder(&[PACKAGE, ("src/a.js", "")]);
    let place = folder.path();
    let _socket = UnixListener::bind(place.join("socket")).unwrap();
    let (tree, missed) = Folder::open(place).unwrap().everything(&INSTALLED);
    assert_eq!((names(&tree), missed), (vec!["package.json", "src/a.js"], Vec::new()));
    for name in ["src/pipe", ".gitignore", ".nvmrc", "Dockerfile", "deploy.yaml"] {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            place.join(name),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
    }
    let (tree, missed) = Folder::open(place).unwrap().everything(&INSTALLED);
    assert_eq!(names(&tree), ["package.json", "src/a.js"]);
    assert_eq!(missed.len(), 5, "{missed:?}");
    assert!(missed.iter().all(|missed| missed.reason == Reason::Device));
    assert!(App::collect(place).is_err());
    let failure = BuildContext::open(place, None).unwrap().files(&[RootPath::ROOT]).unwrap_err();
    assert!(failure.causes[0].contains("pipe"), "{failure:?}");
    let around = Around::collect(&place.join("Dockerfile"), "FROM scratch\n", Some(place)).unwrap().unwrap();
    assert!(!around.is_complete && around.facts.beside.dockerfiles.is_empty());
    assert!(dockerfiles(&[place.to_owned()]).is_err(), "a pipe is no Dockerfile");
}

#[test]
fn links_are_taken_as_they_are() {
    let outside = folder(&[("package.json", "{}"), ("gitignore", "src\n")]);
    let folder = folder(&[PACKAGE, ("build/x", "")]);
    let place = folder.path();
    fs::write(outside.path().join("gitignore"), "build\n").unwrap();
    symlink(outside.path().join("gitignore"), place.join(".gitignore")).unwrap();
    symlink("/", place.join("all")).unwrap();
    assert_eq!(shipped(place), [".gitignore", "all", "build/x", "package.json"]);
    fs::remove_file(place.join("package.json")).unwrap();
    symlink(outside.path().join("package.json"), place.join("package.json")).unwrap();
    assert!(App::collect(place).unwrap_err().causes[0].contains("no regular file"));
    assert!(Around::collect(&place.join("Dockerfile"), "", Some(place)).unwrap().is_none());
}

#[test]
fn what_cannot_be_read_is_listed() {
    let folder = folder(&[PACKAGE]);
    let place = folder.path();
    fs::write(place.join(std::ffi::OsStr::from_bytes(b"a\xffb")), "").unwrap();
    fs::create_dir_all(place.join("d/".repeat(DEPTH_MAX + 1))).unwrap();
    let (_, missed) = Folder::open(place).unwrap().everything(&VERSION_CONTROL);
    let reasons: Vec<Reason> = missed.iter().map(|missed| missed.reason).collect();
    assert_eq!(reasons, [Reason::Name, Reason::Limit], "{missed:?}");
    assert!(App::collect(place).is_err());
    assert!(BuildContext::open(place, None).unwrap().files(&[RootPath::ROOT]).is_err());
}

#[test]
fn gitignore_files_have_caps() {
    let most = "# a line\n".repeat((64 << 10) / 9);
    let folder = folder(&[PACKAGE, (".gitignore", &most)]);
    let place = folder.path();
    assert_eq!(shipped(place), [".gitignore", "package.json"]);
    for at in 0..16 {
        fs::create_dir(place.join(at.to_string())).unwrap();
        fs::write(place.join(at.to_string()).join(".gitignore"), &most).unwrap();
    }
    let failure = App::collect(place).unwrap_err();
    assert!(failure.causes[0].contains("together") && failure.what.ends_with(".gitignore`"), "{failure:?}");
    fs::write(place.join(".gitignore"), most + "# one more line\n").unwrap();
    assert!(App::collect(place).unwrap_err().causes[0].contains("65536"));
}

#[test]
fn a_list_that_no_builder_takes_is_an_error() {
    let folder = folder(&[PACKAGE, (".dockerignore", "a\n[\n")]);
    for failure in
        [App::collect(folder.path()).unwrap_err(), BuildContext::open(folder.path(), None).unwrap_err()]
    {
        assert_eq!(failure.code, "app.dockerignore");
        assert!(failure.causes[0].contains('['), "{failure:?}");
    }
}

#[test]
fn what_is_no_folder_is_told_as_that() {
    let folder = folder(&[PACKAGE]);
    let gone = Folder::open(&folder.path().join("gone")).unwrap_err();
    let file = Folder::open(&folder.path().join("package.json")).unwrap_err();
    assert!(gone.what.ends_with("gone: there is no such file or folder"), "{gone:?}");
    assert!(file.what.ends_with("package.json: it is no folder"), "{file:?}");
    assert_eq!((gone.code, file.code), ("app.no_folder", "app.no_folder"));
    assert_eq!(App::collect(&folder.path().join("gone")).unwrap_err().code, "app.no_folder");
}

#[test]
fn what_lies_beside_an_app_is_known_whoever_leaves_it_out() {
    let manifest = "apiVersion: apps/v1\nkind: Deployment\n";
    let folder = folder(&[
        PACKAGE,
        (".dockerignore", "*\n"),
        (".nvmrc", "lts/jod\n"),
        ("Dockerfile", ""),
        ("docker/api.Dockerfile", ""),
        ("compose.yaml", ""),
        ("docker-compose.dev.yml", ""),
        ("deploy/app.yaml", manifest),
        ("deploy/values.yaml", "replicas: 2\n"),
        ("deploy/deep/far.yaml", manifest),
        ("node_modules/Dockerfile", ""),
        ("bun.lock", r#"{"lockfileVersion": 1, "workspaces": {"": {}}}"#),
    ]);
    let facts = App::collect(folder.path()).unwrap().facts;
    let texts = |list: &[RootPath]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&facts.beside.dockerfiles), ["Dockerfile", "docker/api.Dockerfile"]);
    assert_eq!(texts(&facts.beside.compose), ["compose.yaml", "docker-compose.dev.yml"]);
    assert_eq!(texts(&facts.beside.manifests), ["deploy/app.yaml"]);
    assert_eq!((facts.node_requests[0].by, facts.node_requests[0].range.as_str()), (".nvmrc", "lts/jod"));
    let around =
        Around::collect(&folder.path().join("Dockerfile"), "", Some(folder.path())).unwrap().unwrap();
    assert_eq!(around.facts.beside, facts.beside);
    assert_eq!(
        (around.facts.lock_files, facts.lock_files),
        (vec!["bun.lock".into()], vec!["bun.lock".into()])
    );
}
