use super::*;

fn image() -> Digest {
    Digest::of(b"image")
}

/// A manifest as a registry lists it.
fn listed(number: usize, artifact: &str, predicate_type: Option<&str>, created: Option<&str>) -> Candidate {
    let mut content = Descriptor::of(media_type::MANIFEST, &number.to_le_bytes());
    content.artifact_type = Some(artifact.to_owned());
    for (key, value) in [(BUNDLE_PREDICATE, predicate_type), (CREATED, created)] {
        content.annotations.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    Candidate::manifest(image(), content)
}

/// The places that the candidates get which are kept in `which`.
fn places(candidates: Vec<Candidate>, wanted: &[&str], which: impl Fn(&Candidate) -> bool) -> Vec<usize> {
    let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
    let (ordered, _) = ordered(candidates.into(), &wanted);
    let places = ordered.iter().enumerate().filter(|(_, candidate)| which(candidate));
    places.map(|(at, _)| at).collect()
}

const SCAN: &str = predicate::VULNERABILITIES;

fn is_signature(candidate: &Candidate) -> bool {
    candidate.hint.predicate_type.as_deref() == Some(predicate::SIGNATURE)
}

#[test]
fn with_true_hints_a_signature_is_first_among_ten_thousand_others() {
    let bundle = media_type::SIGSTORE_BUNDLE;
    let others: [&dyn Fn(usize) -> Candidate; 4] = [
        &|number| listed(number, bundle, Some(SCAN), Some("2030-01-01T00:00:00Z")),
        &|number| listed(number, "application/spdx+json", None, None),
        &|number| listed(number, "application/spdx+json", Some(predicate::SIGNATURE), None),
        &|number| listed(number, bundle, Some("https://example.invalid/x"), None),
    ];
    for other in others {
        for at in [0, 5_000, 10_000] {
            let mut all: Vec<Candidate> = (0..10_000).map(other).collect();
            all.insert(at, listed(20_000, bundle, Some(predicate::SIGNATURE), Some("2020-01-01T00:00:00Z")));
            let is_right =
                |candidate: &Candidate| is_signature(candidate) && candidate.kind == Kind::Manifest;
            assert_eq!(places(all, &[predicate::SIGNATURE], is_right), [0]);
        }
    }
}

#[test]
fn no_kind_hides_another() {
    let bundle = media_type::SIGSTORE_BUNDLE;
    let mut all: Vec<Candidate> =
        (0..5_000).map(|number| listed(number, bundle, Some(SCAN), Some("2030-01-01T00:00:00Z"))).collect();
    all.extend((5_000..9_000).map(|number| listed(number, media_type::EMPTY, None, None)));
    all.push(listed(9_000, bundle, Some(predicate::SIGNATURE), None));
    let layer = Descriptor::of(legacy::SIGNATURE_TYPE, b"layer");
    all.push(Candidate::layer(image(), "sha256-x.sig", layer));
    let signatures = places(all, &[SCAN, predicate::SIGNATURE], is_signature);
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|at| *at < 4), "{signatures:?}");
}

#[test]
fn of_a_kind_the_newest_and_the_oldest_come_first() {
    let of = |number: usize| {
        let created = format!("2026-01-{:02}T00:00:00Z", number + 1);
        listed(number, media_type::SIGSTORE_BUNDLE, Some(SCAN), Some(&created))
    };
    let mut all: Vec<Candidate> = [3, 0, 4, 1, 2].map(of).into();
    all.push(listed(9, media_type::SIGSTORE_BUNDLE, Some(SCAN), Some("yesterday")));
    let (ordered, likely) = ordered(all.into(), &[SCAN.to_owned()]);
    assert_eq!(likely, 6);
    let day = |candidate: &Candidate| candidate.hint.since.map(|since| since / 86_400 - 20_454);
    let days: Vec<_> = ordered.iter().map(day).collect();
    assert_eq!(days, [Some(4), None, Some(3), Some(0), Some(2), Some(1)]);
}

#[test]
fn lists_of_older_writers_say_nothing_of_bundles() {
    for artifact in
        ["", media_type::EMPTY, media_type::CONFIG, "application/vnd.dev.cosign.artifact.sig.v1+json"]
    {
        assert!(listed(0, artifact, None, None).kind == Kind::Manifest, "{artifact}");
    }
    assert!(
        listed(0, "application/vnd.dev.sigstore.bundle+json;version=0.3", None, None).kind == Kind::Manifest
    );
    assert!(listed(0, "application/spdx+json", None, None).kind == Kind::Foreign);
}
