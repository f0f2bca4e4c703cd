//! What the layout promises: whole blobs only, names that move, crashes that leave nothing behind.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{Read, Write};

use kiln_image::{Sink, Source, copy};
use kiln_oci::{Descriptor, Digest, ImageConfig, Manifest, media_type};
use kiln_store::Layout;

fn layout() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(&folder.path().join("store")).unwrap();
    (folder, layout)
}

fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    layout.put(&descriptor, &mut &bytes[..]).unwrap();
    descriptor
}

fn image(layout: &Layout, label: &str) -> Descriptor {
    let layer = put(layout, media_type::LAYER, label.as_bytes());
    let mut config =
        ImageConfig { architecture: "amd64".into(), os: "linux".into(), ..ImageConfig::default() };
    config.rootfs.diff_ids.push(layer.digest);
    let config = put(layout, media_type::CONFIG, &config.to_bytes());
    put(layout, media_type::MANIFEST, &Manifest::image(config, vec![layer]).to_bytes())
}

fn read(layout: &Layout, descriptor: &Descriptor) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Source::open(layout, descriptor).unwrap().read_to_end(&mut bytes).map(|_| bytes)
}

#[test]
fn wrong_content_never_becomes_a_blob() {
    let (_folder, layout) = layout();
    let promised = Descriptor::of(media_type::LAYER, b"promised");
    for wrong in [&b"something else"[..], b"promise", b"promised and more", b""] {
        assert!(layout.put(&promised, &mut &wrong[..]).is_err());
        assert!(!layout.has(&promised).unwrap());
    }
    assert_eq!(fs::read_dir(layout.folder().join("ingest")).unwrap().count(), 0);
}

#[test]
fn a_blob_damaged_on_disk_is_not_served() {
    let (_folder, layout) = layout();
    let blob = put(&layout, media_type::LAYER, b"content");
    for damaged in ["contenT", "conten", "content!"] {
        fs::write(layout.blob_path(&blob.digest), damaged).unwrap();
        assert!(read(&layout, &blob).is_err(), "{damaged}");
    }
}

#[test]
fn what_a_killed_process_left_is_swept() {
    let (_folder, layout) = layout();
    let ingest = layout.folder().join("ingest");
    fs::create_dir_all(&ingest).unwrap();
    fs::write(ingest.join(".kiln-999999.tmp"), "half a blob").unwrap();
    fs::write(ingest.join("data.csv"), "somebody else's").unwrap();
    let mut alive = layout.ingest().unwrap();
    alive.write_all(b"whole").unwrap();
    Layout::create(layout.folder()).unwrap();
    assert!(!ingest.join(".kiln-999999.tmp").exists() && ingest.join("data.csv").exists());
    assert_eq!(alive.commit(None).unwrap(), (Digest::of(b"whole"), 5));
}

#[test]
fn names_move_and_digests_resolve() {
    let (_folder, layout) = layout();
    let (first, second) = (image(&layout, "1"), image(&layout, "2"));
    layout.publish(&first, Some("app:1")).unwrap();
    layout.publish(&second, Some("app:1")).unwrap();
    assert_eq!(layout.resolve("app:1").unwrap(), Some(second.clone()));
    assert_eq!(layout.resolve(&second.digest.to_string()).unwrap(), Some(second));
    assert_eq!(layout.resolve("app:2").unwrap(), None);
    assert_eq!(layout.named().unwrap().len(), 1);
}

#[test]
fn referrers_are_found_by_their_subject() {
    let (_folder, layout) = layout();
    let subject = image(&layout, "1");
    layout.publish(&subject, Some("app:1")).unwrap();
    let referrer = put(&layout, media_type::MANIFEST, &about(&layout, &subject, "one").to_bytes());
    layout.publish(&referrer, None).unwrap();
    layout.publish(&referrer, None).unwrap();
    // What the manifest says of itself is told with it.
    let told = Descriptor {
        artifact_type: Some("application/vnd.test".to_owned()),
        annotations: [("of".to_owned(), "one".to_owned())].into(),
        ..referrer
    };
    assert_eq!(layout.referrers(&subject.digest).unwrap().found, std::slice::from_ref(&told));
    layout.tag_referrers(&subject.digest).unwrap();
    let listed = layout.resolve(&subject.digest.to_string().replace(':', "-")).unwrap().unwrap();
    let listed: kiln_oci::Index = serde_json::from_slice(&read(&layout, &listed).unwrap()).unwrap();
    assert_eq!(listed.manifests, std::slice::from_ref(&told));
    assert_eq!(layout.referrers(&subject.digest).unwrap().found, [told], "each once");
    assert_eq!(layout.referrers(&Digest::of(b"other")).unwrap().found, []);
}

/// A manifest that refers to `subject`.
fn about(layout: &Layout, subject: &Descriptor, what: &str) -> Manifest {
    let mut manifest = Manifest::image(put(layout, media_type::EMPTY, b"{}"), vec![]);
    manifest.subject = Some(subject.clone());
    manifest.artifact_type = Some("application/vnd.test".to_owned());
    manifest.annotations.insert("of".to_owned(), what.to_owned());
    manifest
}

/// As tools leave it that know no referrers.
#[test]
fn referrers_are_found_in_the_list_under_their_tag() {
    let (_folder, layout) = layout();
    let subject = image(&layout, "1");
    let referrer = put(&layout, media_type::MANIFEST, &about(&layout, &subject, "one").to_bytes());
    let list = kiln_oci::Index { manifests: vec![referrer.clone(), referrer.clone()], ..Default::default() };
    let list = put(&layout, media_type::INDEX, &list.to_bytes());
    let tag = subject.digest.to_string().replace(':', "-");
    layout.publish(&list, Some(&tag)).unwrap();
    assert_eq!(layout.referrers(&subject.digest).unwrap().found, [referrer]);
    // What is no list has no entries.
    layout.publish(&subject, Some(&tag)).unwrap();
    assert_eq!(layout.referrers(&subject.digest).unwrap().found, []);
}

/// What is damaged, or not understood, is told of beside what is known: nobody takes it for nothing.
#[test]
fn one_referrer_that_is_not_understood_costs_no_other() {
    let (_folder, layout) = layout();
    let subject = image(&layout, "1");
    let right = put(&layout, media_type::MANIFEST, &about(&layout, &subject, "one").to_bytes());
    layout.publish(&right, None).unwrap();
    let known = |layout: &Layout| {
        let listed = layout.referrers(&subject.digest).unwrap();
        (listed.found.len(), listed.unknown.len())
    };
    assert_eq!(known(&layout), (1, 0));
    // A manifest of a kind that nobody reads, but which says whom it is about.
    let text = format!(r#"{{"schemaVersion":3,"subject":{{"digest":"{}"}}}}"#, subject.digest);
    let odd = put(&layout, media_type::MANIFEST, text.as_bytes());
    layout.publish(&odd, None).unwrap();
    assert_eq!(known(&layout), (2, 0));
    // One that is not there any more, and so may be about anything.
    let damaged = put(&layout, media_type::MANIFEST, b"{}");
    layout.publish(&damaged, None).unwrap();
    std::fs::remove_file(layout.blob_path(&damaged.digest)).unwrap();
    assert_eq!(known(&layout), (2, 1));
    // A list with an entry that is none, and one that is no list at all.
    let tag = subject.digest.to_string().replace(':', "-");
    for (list, expected) in [
        (r#"{"schemaVersion":2,"manifests":[{"digest":"sha512:00","size":-1}]}"#, (2, 2)),
        (r#"{"schemaVersion":2,"manifests":7}"#, (2, 2)),
        (r#"{"schemaVersion":2,"manifests":null}"#, (2, 1)),
    ] {
        let list = put(&layout, media_type::INDEX, list.as_bytes());
        layout.publish(&list, Some(&tag)).unwrap();
        assert_eq!(known(&layout), expected);
    }
}

/// As `cosign save` leaves it.
#[test]
fn what_cosign_saves_has_its_signatures() {
    let (folder, layout) = layout();
    let subject = image(&layout, "1");
    let legacy = image(&layout, "signatures");
    let bundle = put(&layout, media_type::MANIFEST, &about(&layout, &subject, "one").to_bytes());
    let kind = |entry: &Descriptor, kind: &str| {
        let mut entry = entry.clone();
        entry.annotations.insert("kind".to_owned(), format!("dev.cosignproject.cosign/{kind}"));
        entry
    };
    let list = |manifests| {
        let index = kiln_oci::Index { manifests, ..Default::default() }.to_bytes();
        std::fs::write(folder.path().join("store/index.json"), index).unwrap();
    };
    let tag = |ending: &str| format!("sha256-{}.{ending}", subject.digest.hex());
    let tagged = |ending: &str| layout.resolve_all(&tag(ending)).unwrap().found;
    for image in ["image", "imageIndex"] {
        list(vec![kind(&subject, image), kind(&legacy, "sigs")]);
        assert_eq!((tagged("sig"), tagged("att")), (vec![legacy.clone()], vec![]), "{image}");
        assert_eq!(layout.referrers(&subject.digest).unwrap().found[0].digest, bundle.digest);
        let images = layout.entries().unwrap().into_iter().filter(|entry| entry.subject.is_none());
        assert_eq!(images.map(|entry| entry.manifest.digest).collect::<Vec<_>>(), [subject.digest]);
    }
    assert_eq!(layout.resolve_all(&format!("sha256-{}.sig", legacy.digest.hex())).unwrap().found, []);
    // What nobody has written so has only what its lists have.
    list(vec![subject.clone(), legacy.clone()]);
    assert_eq!((tagged("sig"), layout.referrers(&subject.digest).unwrap().found), (vec![], vec![]));
}

/// A registry that lists referrers may say of them what it likes.
#[test]
fn what_others_say_of_a_manifest_gives_it_no_name() {
    let (_folder, layout) = layout();
    let mut evil = image(&layout, "evil");
    for key in ["org.opencontainers.image.ref.name", "io.containerd.image.name"] {
        evil.annotations.insert(key.to_owned(), "node:24".to_owned());
    }
    layout.publish(&evil, None).unwrap();
    assert_eq!(layout.resolve("node:24").unwrap(), None);
    layout.publish(&evil, Some("mine:1")).unwrap();
    assert_eq!(layout.named().unwrap().len(), 1);
    let text = fs::read_to_string(layout.folder().join("index.json")).unwrap();
    assert!(!text.contains("node:24"), "{text}");
}

#[test]
fn a_copy_is_whole() {
    let (_folder, from) = layout();
    let (_other, to) = layout();
    let descriptor = image(&from, "1");
    from.publish(&descriptor, Some("app:1")).unwrap();
    copy(&from, &to, &descriptor, Some("1")).unwrap();
    assert_eq!(to.resolve("1").unwrap(), Some(descriptor.clone()));
    assert_eq!(read(&to, &descriptor).unwrap(), read(&from, &descriptor).unwrap());
}

#[test]
fn many_writers_lose_nothing() {
    let (_folder, layout) = layout();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let layout = &layout;
            scope.spawn(move || {
                let descriptor = image(layout, &format!("layer {number}"));
                layout.publish(&descriptor, Some(&format!("app:{number}"))).unwrap();
            });
        }
    });
    assert_eq!(layout.named().unwrap().len(), 8);
}

/// Where damaged blobs were put, as the last test on this thread was told.
static PUT_ASIDE: std::sync::Mutex<Vec<std::path::PathBuf>> = std::sync::Mutex::new(Vec::new());

fn kept() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let on_damage = |_: &Digest, aside: &std::path::Path| PUT_ASIDE.lock().unwrap().push(aside.to_owned());
    let layout = Layout::keep(&folder.path().join("store"), on_damage).unwrap();
    (folder, layout)
}

#[test]
fn a_blob_is_believed_for_its_digest_and_not_for_its_length() {
    let (_folder, layout) = kept();
    let blob = put(&layout, media_type::LAYER, b"content");
    let path = layout.blob_path(&blob.digest);
    assert!(layout.has(&blob).unwrap());
    // Written by somebody else, of the same length: at once, in place, and with the times set back.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let tampers: [&dyn Fn(); 3] = [
        &|| fs::write(&path, "cOntent").unwrap(),
        &|| {
            fs::write(path.with_extension("new"), "coNtent").unwrap();
            fs::rename(path.with_extension("new"), &path).unwrap();
        },
        &|| {
            fs::write(&path, "conTent").unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        },
    ];
    for tamper in tampers {
        // The time of change of a file is as exact as the tick of the system's clock.
        std::thread::sleep(std::time::Duration::from_millis(12));
        tamper();
        let wrong = fs::read(&path).unwrap();
        assert!(!layout.has(&blob).unwrap());
        let aside = layout.folder().join("damaged").join(blob.digest.hex());
        assert_eq!(fs::read(&aside).unwrap(), wrong);
        assert!(PUT_ASIDE.lock().unwrap().contains(&aside));
        layout.put(&blob, &mut &b"content"[..]).unwrap();
        assert!(layout.has(&blob).unwrap());
    }
    assert_eq!(read(&layout, &blob).unwrap(), b"content");
}

#[test]
fn what_was_right_once_is_not_hashed_again() {
    let (_folder, layout) = kept();
    let blob = put(&layout, media_type::LAYER, b"content");
    let note = layout.folder().join("checked").join(blob.digest.hex());
    let noted = fs::read_link(&note).unwrap();
    assert!(layout.has(&blob).unwrap());
    // Without its note it is hashed, and noted again.
    fs::remove_file(&note).unwrap();
    assert!(layout.has(&blob).unwrap());
    assert_eq!(fs::read_link(&note).unwrap(), noted);
    // With a note that says otherwise it is hashed, too, and what is right stays.
    fs::remove_file(&note).unwrap();
    std::os::unix::fs::symlink("inode 1, 7 bytes", &note).unwrap();
    assert!(layout.has(&blob).unwrap());
    assert_eq!(fs::read_link(&note).unwrap(), noted);
    // A descriptor that is wrong about the length makes no blob wrong.
    assert!(!layout.has(&Descriptor::new(media_type::LAYER, blob.digest, 3)).unwrap());
    assert!(layout.has(&blob).unwrap());
}

#[test]
fn a_damaged_blob_that_is_read_is_put_aside() {
    let (_folder, layout) = kept();
    for unchecked in [false, true] {
        let blob = put(&layout, media_type::LAYER, format!("content {unchecked}").as_bytes());
        fs::write(layout.blob_path(&blob.digest), "wrong").unwrap();
        let read = if unchecked {
            layout.open_unchecked(&blob).is_ok()
        } else {
            let mut bytes = Vec::new();
            Source::open(&layout, &blob).unwrap().read_to_end(&mut bytes).is_ok()
        };
        assert!(!read);
        assert!(!layout.blob_path(&blob.digest).exists());
        assert!(layout.folder().join("damaged").join(blob.digest.hex()).exists());
    }
}

/// In two containers on one volume process ids repeat: names made of them and opened truncating ended with the bytes of both.
#[test]
fn no_two_blobs_in_the_making_share_a_file() {
    let (_folder, layout) = kept();
    let (mut first, mut second) = (layout.ingest().unwrap(), layout.ingest().unwrap());
    first.write_all(b"first, long").unwrap();
    second.write_all(b"second").unwrap();
    let (first, _) = first.commit(None).unwrap();
    let (second, _) = second.commit(None).unwrap();
    assert_eq!(fs::read(layout.blob_path(&first)).unwrap(), b"first, long");
    assert_eq!(fs::read(layout.blob_path(&second)).unwrap(), b"second");
    for entry in fs::read_dir(layout.folder().join("ingest")).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.contains(&std::process::id().to_string()), "{name}");
    }
}
