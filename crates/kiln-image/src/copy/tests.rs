use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use kiln_finding::{Class, Diagnose};
use kiln_oci::{Descriptor, Digest, Index, Manifest, media_type};

use super::{CopyOptions, copy_with};
use crate::{Listed, Sink, Source};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Trouble(&'static str);

impl Diagnose for Trouble {
    fn code(&self) -> &'static str {
        "test.trouble"
    }

    fn class(&self) -> Class {
        Class::Remote { transient: self.0 == "busy" }
    }
}

/// A source and a sink in memory that remembers the order of what came.
#[derive(Default)]
struct Shelf {
    content: Mutex<BTreeMap<Digest, Vec<u8>>>,
    log: Mutex<Vec<String>>,
    referrers: BTreeMap<Digest, Listed>,
    /// How many more times a blob is refused.
    busy: Mutex<usize>,
}

impl Shelf {
    fn hold(&self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, bytes);
        self.content.lock().unwrap().insert(descriptor.digest, bytes.to_vec());
        descriptor
    }

    fn image(&self, name: &str) -> Descriptor {
        let config = self.hold(media_type::CONFIG, format!("config of {name}").as_bytes());
        let layer = self.hold(media_type::LAYER, b"the layer of all");
        self.hold(media_type::MANIFEST, &Manifest::image(config, vec![layer]).to_bytes())
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Source for Shelf {
    type Error = Trouble;

    fn resolve(&self, _: &str) -> Result<Option<Descriptor>, Trouble> {
        Ok(None)
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Trouble> {
        let bytes = self.content.lock().unwrap().get(&content.digest).cloned();
        bytes.map(|bytes| Box::new(std::io::Cursor::new(bytes)) as _).ok_or(Trouble("missing"))
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Trouble> {
        Ok(self.referrers.get(digest).cloned().unwrap_or_default())
    }
}

impl Sink for Shelf {
    type Error = Trouble;

    fn has(&self, content: &Descriptor) -> Result<bool, Trouble> {
        Ok(self.content.lock().unwrap().contains_key(&content.digest))
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Trouble> {
        let mut busy = self.busy.lock().unwrap();
        if *busy > 0 {
            *busy -= 1;
            return Err(Trouble("busy"));
        }
        drop(busy);
        let mut read = Vec::new();
        bytes.read_to_end(&mut read).map_err(|_| Trouble("broken"))?;
        let what = if media_type::is_manifest(&content.media_type) { "manifest" } else { "other" };
        self.log.lock().unwrap().push(format!("put {what}"));
        self.content.lock().unwrap().insert(content.digest, read);
        Ok(())
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Trouble> {
        self.log.lock().unwrap().push(format!("publish {} {tag:?}", manifest.digest.short()));
        Ok(())
    }
}

fn one_thread() -> CopyOptions<'static> {
    CopyOptions { threads: 1, ..CopyOptions::default() }
}

#[test]
fn an_index_comes_with_all_its_images_and_is_named_last() {
    let (from, to) = (Shelf::default(), Shelf::default());
    let manifests = vec![from.image("one"), from.image("two")];
    let index = Index { manifests, ..Index::default() }.to_bytes();
    let index = from.hold(media_type::INDEX, &index);
    let copied = copy_with(&from, &to, &index, Some("1"), &CopyOptions::default()).unwrap();
    assert_eq!((copied.manifests, copied.blobs, copied.present), (3, 3, 0));
    assert_eq!(to.log().last().unwrap(), &format!("publish {} Some(\"1\")", index.digest.short()));
    assert_eq!(*from.content.lock().unwrap(), *to.content.lock().unwrap());
    let again = copy_with(&from, &to, &index, Some("1"), &CopyOptions::default()).unwrap();
    assert_eq!((again.blobs, again.present, again.bytes), (0, 3, 0));
}

#[test]
fn referrers_follow_before_the_name() {
    let (mut from, to) = (Shelf::default(), Shelf::default());
    let (image, signature) = (from.image("app"), from.image("signature"));
    let unknown = vec!["entry 2: odd".to_owned()];
    from.referrers.insert(image.digest, Listed { found: vec![signature.clone()], unknown: unknown.clone() });
    let options = CopyOptions { referrers: true, ..one_thread() };
    let copied = copy_with(&from, &to, &image, Some("1"), &options).unwrap();
    assert_eq!((copied.manifests, copied.referrers), (2, 1));
    assert_eq!(copied.unknown, unknown, "what did not come is told of");
    let published: Vec<String> = to.log().into_iter().filter(|line| line.starts_with("publish")).collect();
    assert_eq!(
        published,
        [
            format!("publish {} None", signature.digest.short()),
            format!("publish {} Some(\"1\")", image.digest.short())
        ]
    );
}

#[test]
fn what_may_pass_is_tried_again_and_the_rest_is_not() {
    let (from, to) = (Shelf::default(), Shelf::default());
    let image = from.image("app");
    *to.busy.lock().unwrap() = 2;
    copy_with(&from, &to, &image, None, &one_thread()).unwrap();
    let elsewhere = Shelf::default();
    *elsewhere.busy.lock().unwrap() = 3;
    let error = copy_with(&from, &elsewhere, &image, None, &one_thread()).unwrap_err();
    assert_eq!(error.code(), "test.trouble");
    assert!(!elsewhere.log().iter().any(|line| line.starts_with("publish")), "nothing has a name");
}

#[test]
fn an_index_in_itself_ends() {
    let from = Shelf::default();
    let mut inner = from.image("app");
    for _ in 0..6 {
        let index = Index { manifests: vec![inner], ..Index::default() };
        inner = from.hold(media_type::INDEX, &index.to_bytes());
    }
    let error = copy_with(&from, &Shelf::default(), &inner, None, &one_thread()).unwrap_err();
    assert_eq!(error.code(), "image.unfit");
}
