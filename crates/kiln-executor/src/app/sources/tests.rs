use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_app::App;

use super::*;

const REMOTE: &str = "https://me:secret@git.example/org/app.git";

/// A repository with an app in `services/api`, one commit old.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(format: &str) -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        let app = repository.app();
        fs::create_dir_all(app.join("src")).unwrap();
        fs::write(app.join("package.json"), r#"{"name":"api","version":"1.0.0"}"#).unwrap();
        fs::write(app.join("src/server.js"), "0\n").unwrap();
        fs::write(app.join("run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(app.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("src/server.js", app.join("main.js")).unwrap();
        fs::write(app.join(".dockerignore"), "docs\n").unwrap();
        fs::create_dir(app.join("docs")).unwrap();
        fs::write(app.join("docs/page.md"), "a page").unwrap();
        fs::write(repository.0.path().join("other.txt"), "not of the app").unwrap();
        repository.git(&["init", "-q", "-b", "main", &format!("--object-format={format}")]);
        repository.git(&["remote", "add", "origin", REMOTE]);
        repository.commit();
        repository
    }

    fn app(&self) -> PathBuf {
        self.0.path().join("services/api")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(self.0.path(), arguments)
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "one"]);
    }
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@git.example", "-c", "commit.gpgsign=false"];
    let ended = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}

fn of(folder: &Path) -> Fact<Option<SourceCommit>> {
    commit(folder, None, &App::collect(folder).unwrap().tree)
}

#[track_caller]
fn known(folder: &Path) -> SourceCommit {
    match of(folder) {
        Fact::Known(Some(commit)) => commit,
        other => panic!("{other:?}"),
    }
}

fn changed(folder: &Path) -> Vec<String> {
    known(folder).changes.map(|changes| changes.files).unwrap_or_default()
}

#[test]
fn a_commit_is_named_where_every_file_is_as_it_says() {
    for format in ["sha1", "sha256"] {
        let repository = Repository::new(format);
        let found = known(&repository.app());
        assert_eq!(found.commit, repository.git(&["rev-parse", "HEAD"]));
        assert_eq!(found.uri().as_deref(), Some("git+https://git.example/org/app.git@refs/heads/main"));
        assert_eq!((found.folder.as_str(), found.changes), ("services/api", None), "{format}");
    }
}

#[test]
fn refs_may_be_packed_detached_or_of_another_worktree() {
    let repository = Repository::new("sha1");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["pack-refs", "--all"]);
    repository.git(&["gc", "-q"]);
    assert_eq!(known(&repository.app()).reference.as_deref(), Some("refs/heads/main"));
    let beside = tempfile::tempdir().unwrap();
    let tree = beside.path().join("tree");
    repository.git(&["worktree", "add", "-q", "-b", "work", tree.to_str().unwrap()]);
    let found = known(&tree.join("services/api"));
    assert_eq!((found.commit.as_str(), found.reference.as_deref()), (&*commit, Some("refs/heads/work")));
    git_in(&tree, &["checkout", "-q", "--detach"]);
    assert_eq!(
        known(&tree.join("services/api")).uri().as_deref(),
        Some("git+https://git.example/org/app.git")
    );
}

#[test]
fn whatever_differs_is_told_and_named() {
    let repository = Repository::new("sha1");
    let app = repository.app();
    fs::remove_dir_all(app.join("docs")).unwrap();
    fs::create_dir(app.join("docs")).unwrap();
    fs::write(app.join("docs/page.md"), "what is left out of the image may change").unwrap();
    fs::write(repository.0.path().join("other.txt"), "so may what is not of the app").unwrap();
    assert_eq!(changed(&app), [""; 0]);

    fs::write(app.join("src/server.js"), "1\n").unwrap();
    let first = known(&app).changes.unwrap();
    assert_eq!((first.files, known(&app).uri()), (vec!["src/server.js".to_owned()], None));
    fs::write(app.join("src/server.js"), "2\n").unwrap();
    assert_ne!(known(&app).changes.unwrap().digest, first.digest, "another difference has another name");
    // Nothing that the repository says of itself hides it.
    repository.git(&["update-index", "--assume-unchanged", "services/api/src/server.js"]);
    assert_eq!(changed(&app), ["src/server.js"]);
    repository.git(&["update-index", "--no-assume-unchanged", "services/api/src/server.js"]);
    repository.git(&["checkout", "-q", "."]);

    fs::write(app.join(".env"), "A=1").unwrap();
    fs::write(app.join(".gitignore"), ".env\n").unwrap();
    fs::remove_file(app.join("run.sh")).unwrap();
    fs::remove_file(app.join("main.js")).unwrap();
    symlink("package.json", app.join("main.js")).unwrap();
    assert_eq!(changed(&app), [".env", ".gitignore", "main.js", "run.sh"]);
    repository.git(&["checkout", "-q", "."]);
    fs::set_permissions(app.join("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(changed(&app).contains(&"run.sh".to_owned()), "who may run it counts");
}

#[test]
fn files_of_git_lfs_are_those_of_their_pointers() {
    let repository = Repository::new("sha1");
    let (app, content) = (repository.app(), "large");
    let oid = kiln_oci::Digest::of(content.as_bytes()).hex();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n");
    fs::write(app.join("large.bin"), pointer).unwrap();
    repository.commit();
    fs::write(app.join("large.bin"), content).unwrap();
    assert_eq!(changed(&app), [""; 0]);
    fs::write(app.join("large.bin"), "other").unwrap();
    assert_eq!(changed(&app), ["large.bin"]);
}

#[test]
fn what_is_of_no_commit_is_of_none_and_what_cannot_be_seen_is_unknown() {
    let none = tempfile::tempdir().unwrap();
    fs::write(none.path().join("package.json"), "{}").unwrap();
    assert_eq!(of(none.path()), Fact::Known(None));
    let repository = Repository::new("sha1");
    let apart = repository.0.path().join("scratch");
    fs::create_dir(&apart).unwrap();
    fs::write(apart.join("package.json"), "{}").unwrap();
    assert_eq!(of(&apart), Fact::Known(None), "the commit has no such folder");
    fs::write(repository.0.path().join(".git/HEAD"), "ref: refs/heads/none\n").unwrap();
    assert!(matches!(of(&repository.app()), Fact::Unknown(_)));
}

/// What says how the app is built counts, whether or not the build reads it as a file of the app.
#[test]
fn what_steers_the_build_is_compared_too() {
    let repository = Repository::new("sha1");
    let app = repository.app();
    fs::write(app.join(".dockerignore"), ".dockerignore\ndocs\nkiln.toml\nsrc/server.js\n").unwrap();
    fs::write(app.join("kiln.toml"), "[image]\nentry = [\"other.js\"]\n").unwrap();
    assert_eq!(changed(&app), [".dockerignore", "kiln.toml"]);
    repository.commit();
    assert_eq!(changed(&app), [""; 0]);
    let tree = App::collect(&app).unwrap().tree;
    let with = |settings: &Path| match commit(&app, Some(settings), &tree) {
        Fact::Known(Some(commit)) => commit.changes.map(|changes| changes.files).unwrap_or_default(),
        other => panic!("{other:?}"),
    };
    assert_eq!(with(&app.join("kiln.toml")), [""; 0]);
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(with(elsewhere.path()), [elsewhere.path().canonicalize().unwrap().display().to_string()]);
}

/// git reads objects without looking whether they are what their names say.
#[test]
fn objects_that_are_not_what_their_names_say_are_unknown() {
    let repository = Repository::new("sha1");
    let other = Repository::new("sha1");
    fs::write(other.app().join("src/server.js"), "evil\n").unwrap();
    other.commit();
    let place = |repository: &Repository| {
        let name = repository.git(&["rev-parse", "HEAD:services/api/src"]);
        repository.0.path().join(format!(".git/objects/{}/{}", &name[..2], &name[2..]))
    };
    let evil = fs::read(place(&other)).unwrap();
    let forged = place(&repository);
    fs::set_permissions(&forged, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&forged, evil).unwrap();
    fs::write(repository.app().join("src/server.js"), "evil\n").unwrap();
    assert!(matches!(of(&repository.app()), Fact::Unknown(why) if why.contains("what their names say")));
}

#[test]
fn a_worktree_with_the_app_at_its_top_is_of_its_commit() {
    let repository = Repository::new("sha1");
    let beside = tempfile::tempdir().unwrap();
    fs::write(repository.0.path().join("package.json"), "{}").unwrap();
    repository.commit();
    let tree = beside.path().join("tree");
    repository.git(&["worktree", "add", "-q", "-b", "work", tree.to_str().unwrap()]);
    assert_eq!(changed(&tree), [""; 0]);
}

/// A repository may name programs in many places of its own configuration.
#[test]
fn nothing_that_a_repository_configures_is_run() {
    let repository = Repository::new("sha1");
    let trace = repository.0.path().join("ran");
    let run = format!("sh -c 'touch {}'", trace.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "core.askPass",
        "core.gitProxy",
        "pager.ls-tree",
        "pager.config",
        "alias.ls-tree",
        "alias.rev-parse",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.external",
        "credential.helper",
        "remote.origin.uploadpack",
        "remote.origin.vcs",
    ] {
        repository.git(&["config", key, &run]);
    }
    repository.git(&["config", "remote.origin.promisor", "true"]);
    repository.git(&["config", "extensions.partialClone", "origin"]);
    repository.git(&["config", "remote.origin.url", &format!("ext::{run}")]);
    let hooks = repository.0.path().join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-index-change", "reference-transaction", "post-checkout"] {
        fs::write(hooks.join(hook), format!("#!/bin/sh\ntouch {}\n", trace.display())).unwrap();
        fs::set_permissions(hooks.join(hook), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(repository.app().join(".gitattributes"), "* filter=x diff=x\n").unwrap();
    assert_eq!(changed(&repository.app()), [".gitattributes"]);
    assert_eq!(known(&repository.app()).repository, None);
    // What the commit lacks is not fetched.
    fs::remove_dir_all(repository.0.path().join(".git/objects")).unwrap();
    fs::create_dir_all(repository.0.path().join(".git/objects")).unwrap();
    assert!(matches!(of(&repository.app()), Fact::Unknown(_)));
    assert!(!trace.exists(), "something was run");
}

/// An app with a submodule in `vendor/library`, which has one of its own.
fn with_submodules() -> (Repository, Vec<Repository>) {
    let (inner, library, app) = (Repository::new("sha1"), Repository::new("sha1"), Repository::new("sha1"));
    let add = |to: &Repository, of: &Repository, path: &str| {
        let of = of.0.path().to_str().unwrap();
        to.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", of, path]);
        to.commit();
    };
    add(&library, &inner, "deep/inner");
    add(&app, &library, "services/api/vendor/library");
    app.git(&["-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive"]);
    (app, vec![inner, library])
}

#[test]
fn a_submodule_at_the_commit_that_is_recorded_of_it_is_no_change() {
    let (repository, _others) = with_submodules();
    let app = repository.app();
    assert_eq!(changed(&app), [""; 0]);
    let inner = app.join("vendor/library/deep/inner");
    assert!(inner.join("other.txt").exists());
    // Its files count, to the byte, however deep they lie.
    fs::write(inner.join("other.txt"), "changed").unwrap();
    assert_eq!(changed(&app), ["vendor/library/deep/inner/other.txt"]);
    git_in(&inner, &["checkout", "-q", "."]);
    fs::write(inner.join("new.txt"), "new").unwrap();
    fs::remove_file(app.join("vendor/library/other.txt")).unwrap();
    assert_eq!(changed(&app), ["vendor/library/deep/inner/new.txt", "vendor/library/other.txt"]);
    fs::remove_file(inner.join("new.txt")).unwrap();
    git_in(&app.join("vendor/library"), &["checkout", "-q", "."]);
    assert_eq!(changed(&app), [""; 0]);
    // Another commit is checked out there.
    let library = app.join("vendor/library");
    fs::write(library.join("other.txt"), "two").unwrap();
    git_in(&library, &["commit", "-q", "-a", "-m", "two"]);
    assert_eq!(changed(&app), ["vendor/library/other.txt"]);
    git_in(&library, &["checkout", "-q", "HEAD^"]);
    assert_eq!(changed(&app), [""; 0]);
}

#[test]
fn files_in_the_place_of_a_submodule_that_is_not_known_are_changes() {
    let (repository, _others) = with_submodules();
    let app = repository.app();
    // What lies there is no repository, and so may be anything.
    fs::remove_file(app.join("vendor/library/.git")).unwrap();
    let found = changed(&app);
    assert!(found.contains(&"vendor/library/other.txt".to_owned()), "{found:?}");
    fs::remove_dir_all(app.join("vendor/library")).unwrap();
    assert_eq!(changed(&app), ["vendor/library"]);
    // As a clone leaves it that brings no submodules along; unless it is left out on purpose.
    fs::create_dir(app.join("vendor/library")).unwrap();
    assert_eq!(changed(&app), ["vendor/library"]);
    fs::write(app.join(".dockerignore"), "docs\nvendor\n").unwrap();
    repository.git(&["add", "services/api/.dockerignore"]);
    repository.git(&["commit", "-q", "-m", "ignored"]);
    assert_eq!(changed(&app), [""; 0]);
}

/// What is no file is waited for without end by git; nothing is asked where it would be read.
#[test]
fn a_pipe_in_the_place_of_settings_is_not_read() {
    let pipe = |path: &Path| {
        let _ = fs::remove_file(path);
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let of_repository =
        ["config", "HEAD", "packed-refs", "config.worktree", "objects/info/alternates", "refs/heads/main"];
    for place in of_repository {
        let repository = Repository::new("sha1");
        pipe(&repository.0.path().join(".git").join(place));
        let found = of(&repository.app());
        assert!(matches!(&found, Fact::Unknown(why) if why.contains("is no file")), "{place}: {found:?}");
    }
    for (key, place) in [
        ("include.path", "../pipe"),
        ("include.path", "more"),
        ("includeIf.gitdir:/.path", "../pipe"),
        ("include.path", "/dev/zero"),
        ("include.path", "~nobody/x"),
    ] {
        let repository = Repository::new("sha1");
        fs::write(repository.0.path().join(".git/more"), "[Include]\n\tPATH = \"../pipe\"\n").unwrap();
        repository.git(&["config", key, place]);
        pipe(&repository.0.path().join("pipe"));
        assert!(matches!(of(&repository.app()), Fact::Unknown(_)), "{key} {place}");
    }
}

/// Settings that a team shares are a file in the repository.
#[test]
fn files_that_settings_include_hide_nothing() {
    let repository = Repository::new("sha1");
    fs::write(repository.0.path().join(".gitconfig"), "[alias]\n\tst = status\n").unwrap();
    repository.git(&["config", "include.path", "../.gitconfig"]);
    repository.git(&["config", "--add", "include.path", "absent"]);
    assert_eq!(changed(&repository.app()), [""; 0]);
}
