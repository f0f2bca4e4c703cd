use std::cell::Cell;
use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use kiln_attest::predicate::SIGNATURE;
use kiln_finding::Cause;
use kiln_oci::media_type;
use kiln_trust::{ImageRule, Requirement, Verdict};

use super::*;

/// A place with nothing beside any image, of which something is not known.
#[derive(Default)]
struct Odd {
    about: Option<Digest>,
    unknown: usize,
    unknown_tags: usize,
    allowed: Mutex<Vec<Option<Duration>>>,
}

impl Source for Odd {
    type Error = Cause;

    fn resolve(&self, _: &str) -> Result<Option<Descriptor>, Cause> {
        Ok(None)
    }

    fn resolve_all(&self, _: &str) -> Result<Listed, Cause> {
        Ok(Listed { found: Vec::new(), unknown: vec!["why".to_owned(); self.unknown_tags] })
    }

    fn open(&self, _: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Cause> {
        Ok(Box::new(&b"{}"[..]))
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Cause> {
        let unknown = if self.about == Some(*digest) { self.unknown } else { 0 };
        Ok(Listed { found: Vec::new(), unknown: vec!["why".to_owned(); unknown] })
    }

    fn allow(&self, time: Option<Duration>) {
        self.allowed.lock().unwrap().push(time);
    }
}

fn image() -> Descriptor {
    Descriptor::of(media_type::MANIFEST, b"image")
}

/// What a look comes to, and how many lines it tells of what is not known.
fn looked(place: &Odd) -> (Verdict, usize) {
    let required = vec![Requirement::of(SIGNATURE)];
    let rule = ImageRule { images: Vec::new(), authorities: Vec::new(), required };
    let lines = Cell::new(0);
    let mut found = Found::about(place, &image(), &image()).unwrap();
    let report = found.judged(Depth::Enough, |evidence| {
        lines.set(evidence.len());
        rule.verify(&image().digest, evidence)
    });
    (report.verdict(), lines.get())
}

#[test]
fn what_is_not_known_of_a_list_is_never_missing() {
    assert_eq!(looked(&Odd::default()), (Verdict::Refused, 0));
    let about = Some(image().digest);
    for (unknown, unknown_tags, lines) in [(1, 0, 1), (0, 1, 2), (3, 0, 3), (5_000, 0, 11)] {
        let place = Odd { about, unknown, unknown_tags, ..Odd::default() };
        assert_eq!(looked(&place), (Verdict::NotKnown, lines), "{unknown} {unknown_tags}");
    }
}

#[test]
fn a_look_has_one_limit_and_takes_it_away_again() {
    let place = Odd::default();
    looked(&place);
    assert_eq!(*place.allowed.lock().unwrap(), [Some(Duration::from_mins(1)), None]);
}
