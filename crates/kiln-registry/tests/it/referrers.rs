use std::sync::atomic::{AtomicBool, Ordering};

use kiln_finding::Diagnose as _;
use kiln_image::{CopyOptions, Listed, Sink as _, Source, copy, copy_with};
use kiln_oci::{Descriptor, Digest, Index, media_type};
use kiln_registry::RegistrySettings;

use crate::fake::{Fake, Shelf, client};
use crate::server::Reply;

fn everything() -> CopyOptions<'static> {
    CopyOptions { referrers: true, ..CopyOptions::default() }
}

/// The digests of what the registry lists.
fn found(fake: &Fake, image: &Digest) -> Vec<Digest> {
    fake.repository().referrers(image).unwrap().found.into_iter().map(|one| one.digest).collect()
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
        let mut listed = found(&fake, &image.digest);
        about.sort();
        listed.sort();
        assert_eq!(listed, about, "keeps account: {keeps_account}");
        let tag = format!("team/app/sha256-{}", image.digest.hex());
        assert_eq!(fake.state.lock().unwrap().manifests.contains_key(&tag), !keeps_account);
        let back = Shelf::new();
        copy_with(&fake.repository(), &back.layout, &image, Some("1"), &everything()).unwrap();
        assert_eq!(back.layout.referrers(&image.digest).unwrap().found.len(), 2);
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
    let listed = fake.repository().referrers(&image.digest).unwrap().found;
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
    assert_eq!(fake.repository().referrers(&image.digest).unwrap().found[0].digest, statement.digest);
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
        let one = |n: u64| Descriptor::of(media_type::MANIFEST, format!("{next} {n}").as_bytes());
        let index = Index { manifests: (0..entries).map(one).collect(), ..Index::default() };
        let reply = Reply::ok(&index.to_bytes()).with("content-type", media_type::INDEX);
        if next { reply.with("link", "</v2/team/app/referrers/x?page=2>; rel=\"next\"") } else { reply }
    };
    let two = Fake::scripted(move |request| {
        request.path.contains("/referrers/").then(|| page(!request.path.contains("page=2"), 2))
    });
    let digest = Digest::of(b"x");
    assert_eq!(two.repository().referrers(&digest).unwrap().found.len(), 4);
    for (next, entries) in [(true, 1000), (true, 0), (false, 30_000)] {
        let many =
            Fake::scripted(move |request| request.path.contains("/referrers/").then(|| page(next, entries)));
        let listed = many.repository().referrers(&digest).unwrap();
        assert!(listed.found.len() <= 21_000, "{}", listed.found.len());
        assert!(
            listed.unknown[0].contains("there are more than 20000"),
            "{next} {entries}: {:?}",
            listed.unknown
        );
    }
}

#[test]
fn what_is_published_without_being_sent_is_listed_too() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    copy(&shelf.layout, &fake.repository(), &statement, None).unwrap();
    fake.repository().publish(&statement, Some("other")).unwrap();
    assert_eq!(fake.repository().referrers(&image.digest).unwrap().found.len(), 1);
}

/// There are registries that answer the question with an empty list, whatever writers have put under the tag.
#[test]
fn the_account_of_a_registry_and_the_list_under_the_tag_are_both_read() {
    let (fake, shelf) = (Fake::start(), Shelf::new());
    fake.state.lock().unwrap().referrers = true;
    let image = shelf.image(b"layer");
    let (known, untold) = (shelf.about(&image, "one"), shelf.about(&image, "two"));
    copy(&shelf.layout, &fake.repository(), &known, None).unwrap();
    let tag = format!("sha256-{}", image.digest.hex());
    for listed in [vec![untold.clone()], vec![untold.clone(), known.clone(), untold.clone()]] {
        let index = Index { manifests: listed, ..Index::default() };
        fake.state.lock().unwrap().hold("team/app", &tag, media_type::INDEX, &index.to_bytes());
        let found = found(&fake, &image.digest);
        assert_eq!(found, [known.digest, untold.digest]);
    }
    // What one list leaves out, the other says.
    let told = |digest: Digest| {
        let mut told = Descriptor::new(media_type::MANIFEST, digest, known.size);
        told.artifact_type = Some("application/vnd.test".to_owned());
        told.annotations.insert("of".to_owned(), "one".to_owned());
        told
    };
    let index = Index { manifests: vec![told(known.digest)], ..Index::default() };
    fake.state.lock().unwrap().hold("team/app", &tag, media_type::INDEX, &index.to_bytes());
    assert_eq!(fake.repository().referrers(&image.digest).unwrap().found, [told(known.digest)]);
    // What is no list hides nothing where the registry has answered.
    fake.state.lock().unwrap().hold_image("team/app", &tag, b"x");
    assert_eq!(fake.repository().referrers(&image.digest).unwrap().found.len(), 1);
    fake.state.lock().unwrap().referrers = false;
    assert_eq!(fake.repository().referrers(&image.digest).unwrap_err().code(), "registry.referrers");
}

#[test]
fn mirrors_are_asked_for_referrers_and_tags_of_signatures() {
    let (main, mirror, shelf) = (Fake::start(), Fake::start(), Shelf::new());
    let image = shelf.image(b"layer");
    let (there, here) = (shelf.about(&image, "one"), shelf.about(&image, "two"));
    copy(&shelf.layout, &main.repository(), &there, None).unwrap();
    copy(&shelf.layout, &mirror.repository(), &here, None).unwrap();
    let tag = format!("sha256-{}.sig", image.digest.hex());
    let tagged = [&main, &mirror].map(|fake| {
        let layer = fake.server.host.clone();
        fake.state.lock().unwrap().hold_image("team/app", &tag, layer.as_bytes()).digest
    });
    let mut settings = RegistrySettings::default();
    settings.mirrors.insert(main.server.host.clone(), vec![mirror.server.host.clone()]);
    let repository = || client(&settings).repository(&main.reference("team/app").parse().unwrap()).unwrap();
    let digests = |listed: Listed| -> Vec<_> { listed.found.iter().map(|one| one.digest).collect() };
    let referrers = || repository().referrers(&image.digest).map(digests);
    let tags = || repository().resolve_all(&tag).map(digests);
    let (both, mirrored): (Vec<_>, Vec<_>) = (vec![here.digest, there.digest], vec![here.digest]);
    assert_eq!((referrers().unwrap(), tags().unwrap()), (both, vec![tagged[1], tagged[0]]));
    // Who is cut off from the registry has what the mirror has, and is told that the rest is not known; and with nothing there, nobody
    // knows.
    let host = "127.0.0.1:1";
    let cut_off = |mirror: &str| {
        let mut settings = RegistrySettings::default();
        settings.mirrors.insert(host.to_owned(), vec![mirror.to_owned()]);
        client(&settings).repository(&format!("{host}/team/app").parse().unwrap()).unwrap()
    };
    let mirror = &mirror.server.host;
    for listed in [cut_off(mirror).referrers(&image.digest), cut_off(mirror).resolve_all(&tag)] {
        let listed = listed.unwrap();
        assert_eq!(listed.found.len(), 1);
        assert!(listed.unknown.len() == 1 && listed.unknown[0].contains(host), "{:?}", listed.unknown);
    }
    assert_eq!(digests(cut_off(mirror).referrers(&image.digest).unwrap()), mirrored);
    assert!(cut_off(&Fake::start().server.host).referrers(&image.digest).is_err());
    // A mirror that fails hides nothing of what the registry knows.
    let mut settings = RegistrySettings::default();
    settings.mirrors.insert(main.server.host.clone(), vec![host.to_owned()]);
    let answered = client(&settings).repository(&main.reference("team/app").parse().unwrap()).unwrap();
    let listed = answered.referrers(&image.digest).unwrap();
    assert_eq!((listed.found.len(), listed.unknown.len()), (1, 0));
}

/// What one way of asking does not yield is not known, and what the other yields counts.
#[test]
fn what_could_not_be_asked_is_told_of_beside_what_was_found() {
    let (refused, cut) = (Reply::new(403), Reply { cut: Some(10), ..Reply::ok(&[b' '; 100]) });
    let not_a_list = Reply::ok(b"{\"manifests\":7}").with("content-type", media_type::INDEX);
    let other_page = Reply::new(404);
    let cut = cut.with("content-type", media_type::INDEX);
    let (shelf, digest) = (Shelf::new(), Digest::of(b"x"));
    let known = Index { manifests: vec![shelf.image(b"layer")], ..Index::default() };
    let tag = format!("sha256-{}", digest.hex());
    for (bad, first_page) in
        [(refused, false), (cut, false), (not_a_list.clone(), false), (not_a_list, true), (other_page, true)]
    {
        let page = Reply::ok(&known.to_bytes())
            .with("content-type", media_type::INDEX)
            .with("link", "</v2/team/app/referrers/x?page=2>; rel=next");
        let status = bad.status;
        let fake = Fake::scripted(move |request| {
            let is_first = first_page && !request.path.contains("page=2");
            let reply = if is_first { page.clone() } else { bad.clone() };
            request.path.contains("/referrers/").then_some(reply)
        });
        fake.state.lock().unwrap().hold("team/app", &tag, media_type::INDEX, &known.to_bytes());
        let listed = fake.repository().referrers(&digest).unwrap();
        assert_eq!((listed.found.len(), listed.unknown.len()), (1, 1), "{status} {:?}", listed.unknown);
        // And the other way round.
        let tagged = tag.clone();
        let account = known.to_bytes();
        let fake = Fake::scripted(move |request| match () {
            () if request.path.contains("/referrers/") => {
                Some(Reply::ok(&account).with("content-type", media_type::INDEX))
            }
            () => request.path.ends_with(&tagged).then(|| Reply::new(403)),
        });
        let listed = fake.repository().referrers(&digest).unwrap();
        assert_eq!((listed.found.len(), listed.unknown.len()), (1, 1), "{:?}", listed.unknown);
    }
}

#[test]
fn an_entry_that_is_not_understood_costs_no_other() {
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    let statement = shelf.about(&image, "one");
    let entry = serde_json::to_string(&statement).unwrap();
    let odd = entry.replace("sha256:", "sha512:");
    let list =
        format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{odd},{entry}]}}"#, media_type::INDEX);
    for by_tag in [true, false] {
        let own = list.clone();
        let fake = Fake::scripted(move |request| {
            let reply = || Reply::ok(own.as_bytes()).with("content-type", media_type::INDEX);
            (!by_tag && request.path.contains("/referrers/")).then(reply)
        });
        let tag = format!("sha256-{}", image.digest.hex());
        if by_tag {
            fake.state.lock().unwrap().hold("team/app", &tag, media_type::INDEX, list.as_bytes());
        }
        let listed = fake.repository().referrers(&image.digest).unwrap();
        assert_eq!(listed.found.len(), 1);
        assert!(listed.unknown[0].contains("entry 1 (sha512:"), "{:?}", listed.unknown);
        if by_tag {
            // Nothing is written over what is not understood.
            let more = shelf.about(&image, "two");
            let error = copy(&shelf.layout, &fake.repository(), &more, None).unwrap_err();
            assert_eq!(error.code(), "registry.document");
            assert_eq!(fake.state.lock().unwrap().manifests[&format!("team/app/{tag}")].1, list.as_bytes());
        }
    }
}
