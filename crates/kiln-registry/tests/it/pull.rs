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

#[test]
fn plain_http_is_for_this_machine_only() {
    let repository =
        client(&RegistrySettings::default()).repository(&"nowhere.invalid/app:1".parse().unwrap()).unwrap();
    let error = repository.resolve("1").unwrap_err();
    assert!(error.to_string().contains("https://nowhere.invalid/"), "{error}");
    assert_eq!(error.code(), "registry.network");
}
