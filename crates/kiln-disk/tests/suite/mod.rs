//! What holds for folders, however the kernel lets them be opened.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use kiln_disk::{Dir, Writer};
use kiln_rootfs::RootPath;

fn path(text: &str) -> RootPath {
    RootPath::new(text).unwrap()
}

/// A folder `in` with links of every kind to a folder `out` beside it, which holds a secret.
fn world(top: &Path) -> Dir {
    let (inside, outside) = (top.join("in"), top.join("out"));
    fs::create_dir_all(inside.join("real/deep")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    fs::write(inside.join("real/file"), "file").unwrap();
    symlink(&outside, inside.join("absolute")).unwrap();
    symlink("../out", inside.join("relative")).unwrap();
    symlink("../../out", inside.join("real/up")).unwrap();
    symlink("/proc/self/root", inside.join("magic")).unwrap();
    symlink(outside.join("secret"), inside.join("link")).unwrap();
    symlink("real", inside.join("good")).unwrap();
    symlink("loop", inside.join("loop")).unwrap();
    Dir::open(&inside).unwrap()
}

pub(crate) fn nothing_leaves() {
    let top = tempfile::tempdir().unwrap();
    let folder = world(top.path());
    let before = fs::read_dir(top.path().join("out")).unwrap().count();
    for way in ["absolute", "relative", "real/up", "magic", "good", "loop"] {
        let below = path(&format!("{way}/secret"));
        assert!(folder.file(&below).is_err(), "file {below}");
        assert!(folder.handle(&below).is_err(), "handle {below}");
        assert!(folder.meta(&below).is_err(), "meta {below}");
        assert!(folder.link(&below).is_err(), "link {below}");
        assert!(folder.sub(&path(way)).is_err(), "sub {way}");
        let new = path(&format!("{way}/new"));
        let mut writer = Writer::new(&folder);
        assert!(writer.dir(&new).is_err() && writer.file(&new).is_err(), "make {new}");
        assert!(writer.symlink(&new, "x").is_err() && writer.whiteout(&new).is_err(), "make {new}");
        assert!(writer.hard_link(&path("stolen"), &below).is_err(), "steal {below}");
        assert!(writer.hard_link(&new, &path("real/file")).is_err(), "place {new}");
        assert!(writer.own(&new, (0, 0)).is_err(), "own {new}");
    }
    assert!(folder.file(&path("link")).is_err() && folder.handle(&path("link")).is_err());
    assert!(Writer::new(&folder).file(&path("link")).is_err());
    assert_eq!(fs::read_dir(top.path().join("out")).unwrap().count(), before);
    assert_eq!(fs::read_to_string(top.path().join("out/secret")).unwrap(), "secret");
}

pub(crate) fn links_lead_to_the_root_of_the_folder() {
    let top = tempfile::tempdir().unwrap();
    let folder = world(top.path());
    let names = |way: &str| folder.sub_in_root(&path(way)).unwrap().names().unwrap().len();
    assert_eq!(names("good"), 3);
    assert_eq!(names("good/deep"), 0);
    for way in ["absolute", "relative", "real/up", "loop"] {
        assert!(folder.sub_in_root(&path(way)).is_err(), "{way}");
    }
    symlink("/../../real/../good/deep", top.path().join("in/round")).unwrap();
    assert_eq!(names("round"), 0);
}

pub(crate) fn what_is_made_is_there() {
    let top = tempfile::tempdir().unwrap();
    let folder = Dir::create(&top.path().join("new/folder")).unwrap();
    let mut writer = Writer::new(&folder);
    writer.dir(&path("a")).unwrap();
    std::io::Write::write_all(&mut writer.file(&path("a/f")).unwrap(), b"12").unwrap();
    writer.hard_link(&path("a/g"), &path("a/f")).unwrap();
    writer.symlink(&path("l"), "a/f").unwrap();
    assert!(writer.file(&path("a/f")).is_err() && writer.dir(&path("l")).is_err());
    let meta = folder.meta(&path("a/g")).unwrap();
    assert!(meta.is_file() && meta.is_shared() && meta.size() == 2 && meta.mode() == 0o600);
    assert_eq!(folder.link(&path("l")).unwrap(), "a/f");
    let deep = path("a/b/c");
    assert!(writer.dir(&deep).is_err());
    let pipe = top.path().join("new/folder/pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert!(folder.file(&path("pipe")).is_err());
}

pub(crate) fn removal_goes_as_deep_as_it_must() {
    let top = tempfile::tempdir().unwrap();
    let _ = world(top.path());
    let inside = top.path().join("in");
    let mut folder = Dir::open(&inside).unwrap();
    let name = path("d");
    for _ in 0..1200 {
        Writer::new(&folder).dir(&name).unwrap();
        folder = folder.sub(&name).unwrap();
    }
    drop(folder);
    fs::create_dir(inside.join("shut")).unwrap();
    fs::write(inside.join("shut/file"), "").unwrap();
    fs::set_permissions(inside.join("shut"), fs::Permissions::from_mode(0o000)).unwrap();
    kiln_disk::remove(&inside).unwrap();
    assert!(!inside.exists() && top.path().join("out/secret").exists());
    kiln_disk::remove(&inside).unwrap();
    symlink("out", &inside).unwrap();
    kiln_disk::remove(&inside).unwrap();
    assert!(top.path().join("out/secret").exists() && !inside.is_symlink());
}
