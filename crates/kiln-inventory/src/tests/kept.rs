//! Laws of kept facts: what is written is read, and nothing else is.

use kiln_oci::Digest;
use kiln_pkg::{
    Distro, Ecosystem, IndicatorKind, Licence, Origin, Package, Part, Place, Secret, Source, Unread,
};
use proptest::prelude::*;

use crate::catalogers::CATALOG;
use crate::paths::PathLogger;
use crate::{FileFacts, LayerFacts, Reading};

fn text() -> impl Strategy<Value = String> {
    "[a-z/@ä]{0,12}"
}

fn package() -> impl Strategy<Value = Package> {
    let rest = (any::<[bool; 6]>(), proptest::collection::vec(text(), 0..4));
    (0..Ecosystem::ALL.len(), text(), text(), rest).prop_map(|(at, name, version, (is, texts))| {
        let maybe = |is: bool| is.then(|| name.clone());
        Package {
            source: maybe(is[0]).map(|name| Source { name, version: version.clone() }),
            arch: maybe(is[1]),
            distro: maybe(is[2]),
            supplier: maybe(is[3]),
            owner: maybe(is[4]),
            group: maybe(is[5]),
            licence: maybe(is[0]).map(|declared| Licence { declared, spdx: maybe(is[1]) }),
            dev: is[2],
            optional: is[3],
            parts: vec![Part { name: name.clone(), version: version.clone() }],
            checksums: vec![kiln_text::Algorithm::Sha512.of(name.as_bytes())],
            origin: is[4].then_some(if is[5] { Origin::Base } else { Origin::App }),
            requires: texts.clone(),
            provides: texts.clone(),
            depends_on: texts.clone(),
            direct: texts,
            places: vec![Place { path: name.clone(), layer: is[0].then(|| Digest::of(b"x")) }],
            ..Package::new(Ecosystem::ALL[at], &name, &version)
        }
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    let texts = || proptest::collection::vec(text(), 0..3);
    prop_oneof![
        package().prop_map(|package| Reading::Package(Box::new(package))),
        package().prop_map(|package| Reading::Manifest(Box::new(package))),
        (text(), text()).prop_map(|(id, name)| Reading::Distro(Distro { id, version: String::new(), name })),
        texts().prop_map(Reading::DevOnly),
        proptest::collection::vec((text(), text()), 0..3).prop_map(Reading::Integrity),
        (text(), texts()).prop_map(|(package, paths)| Reading::Owned { package, paths }),
        (text(), text()).prop_map(|(package, declared)| Reading::Licence {
            package,
            licence: Licence { declared, spdx: None }
        }),
        text().prop_map(Reading::Link),
    ]
}

fn file() -> impl Strategy<Value = FileFacts> {
    let kinds = proptest::sample::subsequence(IndicatorKind::ALL.to_vec(), 0..3);
    (text(), any::<[bool; 3]>(), kinds, proptest::collection::vec(reading(), 0..3)).prop_map(
        |(path, is, indicators, readings)| FileFacts {
            is_dir: is[0],
            indicators,
            secrets: vec![Secret {
                rule: path.clone(),
                place: Place { path: path.clone(), layer: None },
                shown: path.clone(),
                deleted: is[1],
                published: is[2],
            }],
            readings,
            unread: is[0].then(|| Unread { path: path.clone(), reader: path.clone(), why: path.clone() }),
            path,
        },
    )
}

fn facts() -> impl Strategy<Value = LayerFacts> {
    (proptest::collection::vec(file(), 0..4), any::<u64>(), proptest::collection::vec(text(), 0..4)).prop_map(
        |(files, entries, paths)| {
            let mut log = PathLogger::new();
            for path in &paths {
                log.push(path, path.is_empty());
            }
            LayerFacts {
                catalog: CATALOG,
                digest: Digest::of(b"layer"),
                content: Digest::of(b"content"),
                entries,
                files,
                removed: paths.clone(),
                emptied: paths,
                paths: log.finish(),
                unread: Vec::new(),
            }
        },
    )
}

proptest! {
    #[test]
    fn facts_are_read_as_they_were_written(facts in facts()) {
        prop_assert_eq!(LayerFacts::from_bytes(&facts.to_bytes()), Some(facts));
    }

    #[test]
    fn no_change_of_the_bytes_gives_facts(facts in facts(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = facts.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert_eq!(LayerFacts::from_bytes(&bytes), None);
        prop_assert_eq!(LayerFacts::from_bytes(&facts.to_bytes()[..at]), None);
    }
}

/// Whoever computes the digest, too, gets a reader that neither panics nor makes room for what is not there.
#[test]
fn a_body_with_its_right_digest_is_read_with_care() {
    let whole = FileFacts { path: "a".to_owned(), is_dir: true, ..FileFacts::default() };
    let facts = LayerFacts {
        catalog: CATALOG,
        digest: Digest::of(b"layer"),
        content: Digest::of(b"content"),
        entries: 1,
        files: vec![whole],
        removed: Vec::new(),
        emptied: Vec::new(),
        paths: PathLogger::new().finish(),
        unread: Vec::new(),
    };
    let bytes = facts.to_bytes();
    let (head, body) = bytes.split_at(8 + 32);
    let with = |body: &[u8]| [&head[..8], Digest::of(body).as_bytes(), body].concat();
    assert_eq!(LayerFacts::from_bytes(&with(body)), Some(facts.clone()));
    assert_eq!(LayerFacts::from_bytes(&with(&[body, b"x"].concat())), None);
    for at in 0..body.len() {
        let mut changed = body.to_vec();
        changed[at] = !changed[at];
        assert_ne!(LayerFacts::from_bytes(&with(&changed)), Some(facts.clone()));
    }
    let other = LayerFacts { catalog: !CATALOG, ..facts };
    assert_eq!(LayerFacts::from_bytes(&other.to_bytes()), None);
}
