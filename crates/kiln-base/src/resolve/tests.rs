use kiln_finding::Diagnose as _;

use super::*;
use crate::source::Place;
use crate::testing::{NOW, World, deb, files};

pub(crate) fn lock(world: &World) -> Result<Lock, Error> {
    let request = Request { builder: false, ..Request::new(vec![Arch::Amd64]) };
    resolve_with_keys(&request, world, NOW, &[&world.key.public])
}

#[test]
fn everything_is_pinned_and_no_host_is_named() {
    let lock = lock(&World::new()).unwrap();
    assert_eq!(lock.debs.len(), Distribution::Debian13.recipe().runtime.len());
    assert_eq!(lock.npm[0].version, "24.1.0");
    assert_eq!(lock.date(), "2026-11-20T00:00:00Z");
    assert!(!lock.render().contains("invalid"), "a host got into the lock");
    assert_eq!(Lock::read(&lock.render()).unwrap(), lock);
}

#[test]
fn a_newer_version_in_the_security_archive_wins() {
    let mut world = World::new();
    let stanza = world
        .add_deb("libc6", &deb("libc6", &files(&[]), "gz"))
        .replace("Version: 1.0", "Version: 1.0+deb13u1");
    world.set_index("trixie-security", &stanza, str::to_owned);
    let lock = lock(&world).unwrap();
    let libc = lock.debs.iter().find(|pin| pin.name == "libc6").unwrap();
    assert_eq!((libc.version.as_str(), libc.security), ("1.0+deb13u1", true));
}

#[test]
fn an_index_that_is_not_the_signed_one_is_refused() {
    let mut world = World::new();
    let index = world
        .documents
        .get_mut(&Place::Archive("dists/trixie/main/binary-amd64/Packages.xz".into()))
        .unwrap();
    *index = crate::testing::xz(b"Package: evil\n");
    assert_eq!(lock(&world).unwrap_err().code(), "base.integrity_mismatch");
}

#[test]
fn an_expired_suite_is_refused_by_name() {
    let mut world = World::new();
    world.set_index("trixie-security", "", |text| text.replace("27 Nov", "20 Nov"));
    let error = lock(&world).unwrap_err();
    assert_eq!(error.code(), "base.release_expired");
    assert!(error.to_string().contains("trixie-security"), "{error}");
}

#[test]
fn what_the_port_says_is_passed_on() {
    let mut world = World::new();
    world.documents.remove(&Place::Archive("dists/trixie/InRelease".into()));
    let error = lock(&world).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("fetch.status", "get the release file of trixie")
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn unknown_lines_and_versions_are_named() {
    let world = World::new();
    let request = Request { node: 18, ..Request::new(vec![Arch::Amd64]) };
    assert_eq!(resolve(&request, &world, NOW).unwrap_err().code(), "base.node_line");
    let request = Request { node_version: Some("24.9.9".into()), ..Request::new(vec![Arch::Amd64]) };
    assert_eq!(resolve(&request, &world, NOW).unwrap_err().code(), "base.no_version");
    let request = Request { builder: false, ..Request::new(vec![Arch::Amd64]) };
    let error = resolve(&request, &world, NOW).unwrap_err();
    assert_eq!(error.code(), "base.release_signature", "the key of the test is none of Debian's");
}
