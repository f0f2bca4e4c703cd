use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln_finding::Diagnose as _;
use kiln_image::{Source, copy};
use kiln_oci::{Descriptor, Index, media_type};
use kiln_registry::RegistrySettings;

use crate::fake::{Fake, Shelf, client};
use crate::server::{Reply, Server};

#[test]
fn an_image_arrives_whole() {
    let fake = Fake::start();
    let image = fake.image(&vec![7; 100_000]);
    let repository = fake.repository();
    let found = repository.resolve("1").unwrap().unwrap();
    assert_eq!(found, image);
    let shelf = Shelf::new();
    copy(&repository, &shelf.layout, &found, Some("1")).unwrap();
    assert_eq!(shelf.layout.resolve("1").unwrap().unwrap().digest, image.digest);
    assert_eq!(fake.server.count("GET /v2/team/app/manifests/"), 1, "a manifest is asked for once");
    let accept = fake.server.seen()[0].header("accept").unwrap().to_owned();
    for kind in
        [media_type::INDEX, media_type::MANIFEST, media_type::DOCKER_INDEX, media_type::DOCKER_MANIFEST]
    {
        assert!(accept.contains(kind), "{accept}");
    }
}

#[test]
fn an_index_arrives_with_its_images() {
    let fake = Fake::start();
    let manifests = vec![fake.image(b"one"), fake.image(b"two")];
    let index = Index { manifests, ..Index::default() }.to_bytes();
    fake.state.lock().unwrap().hold("team/app", "all", media_type::INDEX, &index);
    let (repository, shelf) = (fake.repository(), Shelf::new());
    let index = repository.resolve("all").unwrap().unwrap();
    copy(&repository, &shelf.layout, &index, Some("all")).unwrap();
    assert_eq!(shelf.layout.named().unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_no_error() {
    let fake = Fake::start();
    assert_eq!(fake.repository().resolve("2").unwrap(), None);
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let served = AtomicUsize::new(0);
    let fake = Fake::scripted(move |request| {
        if !request.path.contains("/blobs/") || served.fetch_add(1, Ordering::Relaxed) > 0 {
            return None;
        }
        Some(Reply { cut: Some(40_000), ..Reply::ok(&vec![7; 100_000]) })
    });
    fake.image(&vec![7; 100_000]);
    let layer = Descriptor::of(media_type::LAYER, &vec![7; 100_000]);
    let repository = fake.repository();
    let mut bytes = Vec::new();
    repository.open(&layer).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 100_000);
    let ranges: Vec<String> =
        fake.server.seen().iter().filter_map(|request| request.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, ["bytes=40000-"]);
}

#[test]
fn a_server_without_ranges_sends_everything_again() {
    let served = AtomicUsize::new(0);
    let fake = Fake::scripted(move |request| {
        if !request.path.contains("/blobs/") {
            return None;
        }
        let cut = (served.fetch_add(1, Ordering::Relaxed) == 0).then_some(40_000);
        Some(Reply { cut, ..Reply::ok(&vec![7; 100_000]) })
    });
    let layer = Descriptor::of(media_type::LAYER, &vec![7; 100_000]);
    let mut bytes = Vec::new();
    fake.repository().open(&layer).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, vec![7; 100_000]);
}

#[test]
fn mirrors_are_asked_first_and_passed_over_when_they_fail() {
    let main = Fake::start();
    let image = main.image(b"layer");
    let good = Fake::start();
    good.state.lock().unwrap().hold_image("proxy/team/app", "1", b"layer");
    let broken = Server::start(|_| Reply::new(500));
    for (mirror, from_mirror) in [(format!("{}/proxy", good.server.host), true), (broken.host.clone(), false)]
    {
        let mut settings = RegistrySettings::default();
        settings.mirrors.insert(main.server.host.clone(), vec![mirror]);
        let before = main.server.seen().len();
        let client = client(&settings);
        let repository = client.repository(&main.reference("team/app").parse().unwrap()).unwrap();
        let found = repository.resolve("1").unwrap().unwrap();
        assert_eq!(found.digest, image.digest);
        copy(&repository, &Shelf::new().layout, &found, None).unwrap();
        assert_eq!(main.server.seen().len() == before, from_mirror);
    }
}

/// A name may have a SHA-512 digest: what stands there must have it, and is from then on known by its own.
#[test]
fn an_image_is_found_by_its_sha_512_and_no_other_is() {
    let fake = Fake::start();
    let image = fake.image(b"layer");
    let state = || fake.state.lock().unwrap();
    let (kind, bytes) = state().manifests.get("team/app/1").cloned().unwrap();
    let right = format!("sha512:{}", kiln_text::Algorithm::Sha512.of(&bytes).hex());
    let wrong = format!("sha512:{}", "0".repeat(128));
    for digest in [&right, &wrong] {
        state().hold("team/app", digest, &kind, &bytes);
    }
    let resolve = |digest: &str| {
        let name: kiln_oci::Reference = format!("{}@{digest}", fake.reference("team/app")).parse().unwrap();
        assert!(name.is_pinned() && name.wanted() == digest);
        fake.repository().resolve(&name.wanted())
    };
    assert_eq!(resolve(&right).unwrap().unwrap().digest, image.digest);
    assert_eq!(resolve(&wrong).unwrap_err().code(), "registry.mismatch");
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let repository =
        client(&RegistrySettings::default()).repository(&"nowhere.invalid/app:1".parse().unwrap()).unwrap();
    let error = repository.resolve("1").unwrap_err();
    assert!(error.to_string().contains("https://nowhere.invalid/"), "{error}");
    assert_eq!(error.code(), "registry.network");
}
