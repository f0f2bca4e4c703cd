use std::sync::atomic::{AtomicBool, Ordering};

use kiln_finding::Diagnose as _;
use kiln_image::{CopyOptions, Sink as _, Source, copy, copy_with};
use kiln_oci::{Descriptor, Index, media_type};

use crate::fake::{Fake, Shelf};
use crate::server::Reply;

fn everything() -> CopyOptions<'static> {
    CopyOptions { referrers: true, ..CopyOptions::default() }
}

#[test]
fn they_follow_there_and_back_in_every_kind_of_registry() {
    for keeps_account in [true, false] {
        let (fake, shelf) = (Fake::start(), Shelf::new());
        fake.state.lock().unwrap().referrers = keeps_account;
        let image = shelf.image(b"layer");
        let mut about = vec![shelf.about(&image, "one").digest, shelf.about(&image, "two").digest];
        let copied = copy_with(&shelf.layout, &fake.repository(), &image, Some("1"), &everything()).unwrap();
        assert_eq!((copied.manifests, copied.referrers), (3, 2));
        let mut listed: Vec<_> =
            fake.repository().referrers(&image.digest).unwrap().into_iter().map(|one| one.digest).collect();
        about.sort();
        listed.sort();
        assert_eq!(listed, about, "keeps account: {keeps_account}");
        let tag = format!("team/app/sha256-{}", image.digest.hex());
        assert_eq!(fake.state.lock().unwrap().manifests.contains_key(&tag), !keeps_account);
        let back = Shelf::new();
        copy_with(&fake.repository(), &back.layout, &image, Some("1"), &everything()).unwrap();
        assert_eq!(back.layout.referrers(&image.digest).unwrap().len(), 2);
    }
}

#[test]
fn the_list_says_what_they_are_and_is_repaired() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    let stale = Descriptor::of(media_type::MANIFEST, b"another");
    let bare = Descriptor::new(media_type::MANIFEST, statement.digest, statement.size);
    let before = Index { manifests: vec![stale.clone(), bare, stale.clone()], ..Index::default() };
    let tag = format!("sha256-{}", image.digest.hex());
    fake.state.lock().unwrap().hold("team/app", &tag, media_type::INDEX, &before.to_bytes());
    copy(&shelf.layout, &fake.repository(), &statement, None).unwrap();
    let listed = fake.repository().referrers(&image.digest).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0], stale);
    assert_eq!(listed[1].artifact_type.as_deref(), Some("application/vnd.test"));
}

#[test]
fn a_list_that_others_overwrite_is_written_again() {
    let first = AtomicBool::new(true);
    let fake = Fake::scripted(move |request| {
        let is_list = request.method == "PUT" && request.path.contains("/manifests/sha256-");
        // The first write is lost: another client wins.
        (is_list && first.swap(false, Ordering::Relaxed)).then(|| Reply::new(201))
    });
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    copy(&shelf.layout, &fake.repository(), &statement, None).unwrap();
    assert_eq!(fake.repository().referrers(&image.digest).unwrap()[0].digest, statement.digest);
}

#[test]
fn a_tag_that_is_no_list_is_left_alone() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    fake.state.lock().unwrap().hold_image("team/app", &format!("sha256-{}", image.digest.hex()), b"x");
    let error = copy(&shelf.layout, &fake.repository(), &statement, None).unwrap_err();
    assert_eq!(error.code(), "registry.referrers");
}

#[test]
fn pages_are_followed_and_counted() {
    let page = |next: bool, entries: u64| {
        let one = |n: u64| Descriptor::of(media_type::MANIFEST, &n.to_le_bytes());
        let index = Index { manifests: (0..entries).map(one).collect(), ..Index::default() };
        let reply = Reply::ok(&index.to_bytes()).with("content-type", media_type::INDEX);
        if next { reply.with("link", "</v2/team/app/referrers/x?page=2>; rel=\"next\"") } else { reply }
    };
    let two = Fake::scripted(move |request| {
        request.path.contains("/referrers/").then(|| page(!request.path.contains("page=2"), 2))
    });
    let digest = kiln_oci::Digest::of(b"x");
    assert_eq!(two.repository().referrers(&digest).unwrap().len(), 4);
    for (next, entries) in [(true, 1000), (true, 0), (false, 20_000)] {
        let many =
            Fake::scripted(move |request| request.path.contains("/referrers/").then(|| page(next, entries)));
        let error = many.repository().referrers(&digest).unwrap_err();
        assert_eq!(error.code(), "registry.too_large", "{next} {entries}");
    }
}

#[test]
fn what_is_published_without_being_sent_is_listed_too() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    copy(&shelf.layout, &fake.repository(), &statement, None).unwrap();
    fake.repository().publish(&statement, Some("other")).unwrap();
    assert_eq!(fake.repository().referrers(&image.digest).unwrap().len(), 1);
}
