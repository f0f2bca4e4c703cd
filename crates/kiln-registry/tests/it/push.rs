use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kiln_image::{CopyOptions, Sink, Source, copy, copy_with};
use kiln_oci::{Descriptor, media_type};
use kiln_registry::RegistrySettings;

use crate::fake::{Fake, Shelf, client};
use crate::server::Reply;

#[test]
fn an_image_is_sent_once_and_named_last() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    let image = shelf.image(&vec![1; 3_000_000]);
    let options = CopyOptions { threads: 3, ..CopyOptions::default() };
    let copied = copy_with(&shelf.layout, &fake.repository(), &image, Some("1"), &options).unwrap();
    assert_eq!((copied.blobs, copied.bytes), (2, 3_000_002));
    let last = fake.server.seen().last().unwrap().line();
    assert_eq!(last, "PUT /v2/team/app/manifests/1");
    let again = copy_with(&shelf.layout, &fake.repository(), &image, Some("1"), &options).unwrap();
    assert_eq!((again.blobs, again.present), (0, 2));
    assert_eq!(fake.repository().resolve("1").unwrap().unwrap(), image);
}

#[test]
fn blobs_of_the_same_registry_are_taken_over() {
    let fake = Fake::start();
    fake.state.lock().unwrap().mounts = true;
    let image = fake.image(&vec![2; 200_000]);
    // A registry that holds blobs per repository says of the other one that it lacks them.
    let asked = fake.server.host.clone();
    let front = Fake::scripted({
        let state = fake.state.clone();
        move |request| {
            let is_head = request.method == "HEAD" && request.path.contains("/other/");
            Some(if is_head { Reply::new(404) } else { state.lock().unwrap().answer(request) })
        }
    });
    assert_ne!(asked, front.server.host);
    let from = front.repository();
    let to = front.named("other/app").mounting_from(&from);
    copy(&from, &to, &image, Some("1")).unwrap();
    assert_eq!(front.server.count("GET /v2/team/app/blobs/"), 0, "nothing is downloaded");
    assert_eq!(front.server.count("PUT /v2/other/app/blobs/"), 0, "nothing is uploaded");
}

#[test]
fn what_cannot_be_taken_over_is_sent() {
    let (from, to) = (Fake::start(), Fake::start());
    let image = from.image(&vec![3; 50_000]);
    // `mounts` is off: the registry opens an upload instead.
    let target = to.named("other/app").mounting_from(&to.repository());
    copy(&from.repository(), &target, &image, Some("1")).unwrap();
    let posts: Vec<String> =
        to.server.seen().iter().filter(|one| one.method == "POST").map(|one| one.path.clone()).collect();
    assert!(posts.iter().all(|path| path.contains("mount=sha256:") && path.contains("from=team/app")));
    assert_eq!(to.server.count("PUT /v2/other/app/blobs/"), 2);
}

#[test]
fn parts_are_resumed_where_the_registry_is() {
    let failed = AtomicBool::new(false);
    let shelf = Shelf::new();
    let image = shelf.image(&vec![4; 100_000]);
    let state = std::sync::Arc::new(std::sync::Mutex::new(crate::fake::State::default()));
    let fake = Fake::scripted(move |request| {
        let is_second = request.header("content-range").is_some_and(|range| range.starts_with("30000-"));
        if is_second && !failed.swap(true, Ordering::Relaxed) {
            // Half of the part arrives, and the registry fails.
            let mut half = request.clone();
            half.body.truncate(15_000);
            state.lock().unwrap().answer(&half);
            return Some(Reply::new(500));
        }
        Some(state.lock().unwrap().answer(request))
    });
    let settings = RegistrySettings { chunk: Some(30_000), ..RegistrySettings::default() };
    let repository = client(&settings).repository(&fake.reference("team/app").parse().unwrap()).unwrap();
    copy(&shelf.layout, &repository, &image, Some("1")).unwrap();
    let ranges: Vec<String> = fake
        .server
        .seen()
        .iter()
        .filter_map(|request| request.header("content-range").map(str::to_owned))
        .collect();
    assert!(ranges.contains(&"45000-59999".to_owned()), "{ranges:?}");
    assert_eq!(repository.resolve("1").unwrap().unwrap(), image);
}

#[test]
fn an_upload_that_breaks_starts_again() {
    let failures = AtomicUsize::new(0);
    let fake = Fake::scripted(move |request| {
        let is_blob = request.method == "PUT" && request.path.contains("/blobs/uploads/");
        (is_blob && failures.fetch_add(1, Ordering::Relaxed) == 0).then(|| Reply::new(503))
    });
    let shelf = Shelf::new();
    let image = shelf.image(&vec![5; 3_000_000]);
    shelf.push(&fake.repository(), &image);
    assert_eq!(fake.repository().resolve("1").unwrap().unwrap(), image);
}

#[test]
fn what_is_not_what_it_says_is_not_sent_as_it() {
    let fake = Fake::start();
    let promised = Descriptor::of(media_type::LAYER, b"promised");
    for given in [&b"others!!"[..], b"short", b"much longer"] {
        fake.repository().put(&promised, &mut &given[..]).unwrap_err();
    }
    assert!(!fake.repository().has(&promised).unwrap());
}
