//! Images in archives and in the Docker daemon: what kiln writes others read, and the other way round.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, World, needs, skopeo};
use crate::images::vulnerable;

fn tool(program: &str, args: &[&str]) -> Run {
    Run::of(Command::new(program).args(args)).exits(0)
}

/// Packages and findings, without where the image lies.
fn scanned(world: &World, image: &str) -> Value {
    let mut found = world.run(["scan", image, "--format", "json"]).exits(0).json()[0].take();
    found["image"].take();
    found
}

#[test]
fn archives_of_others_are_scanned_as_what_they_came_from() {
    if !needs(&["skopeo"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let here = scanned(&world, &image);
    let path = |name: &str| world.path(name).display().to_string();
    let (oci, docker) =
        (format!("oci-archive:{}", path("o.tar")), format!("docker-archive:{}", path("d.tar")));
    Run::of(skopeo().args(["copy", "-q", &image, &format!("{oci}:7")])).exits(0);
    Run::of(skopeo().args(["copy", "-q", &image, &format!("{docker}:example.invalid/app:7")])).exits(0);
    tool("gzip", &["-k", &path("d.tar")]);
    for written in [
        oci.clone(),
        format!("{oci}:7"),
        docker.clone(),
        format!("{docker}:example.invalid/app:7"),
        format!("{docker}.gz"),
    ] {
        assert_eq!(scanned(&world, &written), here, "{written}");
    }
    let error = world.run(["scan", &format!("{docker}:other:1")]).exits(2).stderr;
    assert!(error.contains("it holds example.invalid/app:7; name one after a colon"), "{error}");
    world.run(["sbom", &docker]).exits(0);
    // Into the store it goes under the name it had.
    let copied = world.run(["copy", &docker, "app:8", "--format", "json"]).exits(0).json();
    assert_eq!(scanned(&world, "app:8"), here, "{copied}");
}

#[test]
fn archives_are_read_by_others() {
    if !needs(&["skopeo"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let here = scanned(&world, &image);
    let path = |name: &str| world.path(name).display().to_string();
    for (target, named) in [
        (format!("oci-archive:{}", path("o.tar")), format!("oci-archive:{}:1", path("o.tar"))),
        (format!("oci-archive:{}:two", path("p.tar")), format!("oci-archive:{}:two", path("p.tar"))),
        (
            format!("docker-archive:{}:app:3", path("d.tar")),
            format!("docker-archive:{}:app:3", path("d.tar")),
        ),
    ] {
        let told = world.run(["copy", &image, &target]).exits(0).stdout;
        assert!(told.starts_with("oci-archive:") || told.starts_with("docker-archive:"), "{told}");
        let back = format!("oci:{}:back", path("back"));
        Run::of(skopeo().args(["copy", "-q", &named, &back])).exits(0);
        assert_eq!(scanned(&world, &back), here, "{target}");
    }
    let left: Vec<_> =
        std::fs::read_dir(world.path("")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
fn the_docker_daemon_is_a_place_like_any_other() {
    if !needs(&["docker"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let here = scanned(&world, &image);
    let name = "kiln-e2e-daemon:5";
    let told = world.run(["copy", &image, &format!("docker:{name}")]).exits(0).stdout;
    assert!(told.starts_with(&format!("docker:{name}@sha256:")), "{told}");
    let id = tool("docker", &["image", "inspect", "-f", "{{.Id}}", name]).stdout;
    for named in [format!("docker:{name}"), format!("docker:{}", id.trim().trim_start_matches("sha256:"))] {
        assert_eq!(scanned(&world, &named), here, "{named}");
    }
    let saved = world.path("saved.tar").display().to_string();
    tool("docker", &["save", "-o", &saved, name]);
    assert_eq!(scanned(&world, &format!("docker-archive:{saved}")), here);
    tool("docker", &["rmi", name]);
    let gone = world.run(["scan", &format!("docker:{name}")]).exits(2).stderr;
    assert!(gone.contains("there is no image `kiln-e2e-daemon:5` in the Docker daemon"), "{gone}");
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    let world = World::new();
    std::fs::write(world.path("x.tar"), "no archive at all").unwrap();
    for (image, expected) in [
        ("docker-archive:x.tar", "read the archive `x.tar`"),
        ("oci-archive:missing.tar", "open the archive `missing.tar`"),
    ] {
        let error = world.run(["scan", image]).exits(3).stderr;
        assert!(error.contains(expected), "{error}");
    }
    // Nothing is left of a copy that fails.
    world.run(["copy", "docker-archive:x.tar", "docker-archive:y.tar"]).exits(3);
    assert!(!world.path("y.tar").exists());
}

#[test]
fn an_archive_goes_through_a_link_to_standard_output_and_the_link_stays() {
    let world = World::new();
    let image = vulnerable(&world);
    let link = world.path("out");
    std::os::unix::fs::symlink("/proc/self/fd/1", &link).unwrap();
    for form in ["oci-archive", "docker-archive"] {
        let target = format!("{form}:{}", link.display());
        let run = world.kiln().args(["copy", &image, &target, "-q"]).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        let written = world.path("written.tar");
        std::fs::write(&written, &run.stdout).unwrap();
        assert_eq!(scanned(&world, &format!("{form}:written.tar")), scanned(&world, &image), "{form}");
    }
}

#[test]
fn an_archive_goes_into_a_device_and_the_device_stays() {
    use std::os::unix::fs::FileTypeExt as _;
    if !needs(&["devices"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let device = world.path("null");
    // A device of the test's own, as /dev/null is one.
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    let kind = rustix::fs::FileType::CharacterDevice;
    rustix::fs::mknodat(rustix::fs::CWD, &device, kind, mode, rustix::fs::makedev(1, 3)).unwrap();
    for form in ["oci-archive", "docker-archive"] {
        world.run(["copy", &image, &format!("{form}:{}", device.display())]).exits(0);
        assert!(std::fs::symlink_metadata(&device).unwrap().file_type().is_char_device(), "{form}");
    }
}
