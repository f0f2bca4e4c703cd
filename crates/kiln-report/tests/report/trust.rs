use kiln_oci::Digest;
use kiln_report::{Format, Results, Stamp, Trust};
use kiln_trust::{Examined, Outcome, Rejection, Signer, TrustReport};
use proptest::prelude::*;

use super::{golden, hostile, readable, render, stamp};

/// A statement that counts, one that does not, one that is missing, one that may be there.
fn report(text: &str) -> TrustReport {
    let own = || text.to_owned();
    let outcome = |name: &str, found, not_known, unmet: &[String]| {
        let mut outcome = Outcome::default();
        (outcome.name, outcome.found, outcome.not_known) = (name.to_owned(), found, not_known);
        outcome.unmet = unmet.to_vec();
        outcome
    };
    let image = Digest::of(b"image");
    let right = Examined {
        about: image,
        place: own(),
        form: "bundle",
        predicate_type: Some(own()),
        signer: Some(Signer::Certificate { issuer: own(), subject: own(), signed_at: Some(own()) }),
        rejected: None,
    };
    let wrong = Examined {
        about: Digest::of(b"index"),
        predicate_type: None,
        signer: None,
        rejected: Some(Rejection { code: "trust.signature", why: own() }),
        ..right.clone()
    };
    TrustReport {
        image,
        outcomes: vec![
            outcome("signature", true, false, &[]),
            outcome("SLSA provenance", false, false, &[own()]),
            outcome("SPDX SBOM", false, true, &[]),
            outcome(text, false, false, &[]),
        ],
        examined: vec![right, wrong],
        left_out: 3,
        statements: Vec::new(),
    }
}

fn shown(text: &str, format: &str, explains: bool) -> String {
    let (report, root, asked) =
        (report(text), Digest::of(b"index"), [text.to_owned(), "another rule".to_owned()]);
    let trust = Trust { report: &report, root: &root, asked: &asked };
    let stamp = Stamp { explains, ..stamp(100) };
    Format::find(format).unwrap().render(&Results::Trust(&trust), &stamp).unwrap()
}

#[test]
fn people_and_programs_see_what_was_found() {
    golden("trust-human.txt", &format!("{}\n", shown("x", "human", false)));
    golden("trust-human-explained.txt", &format!("{}\n", shown("x", "human", true)));
    golden("trust-json.json", &readable(&shown("x", "json", true)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nobody writes a line of the verdict by what is signed, by whom, or where it lies.
    #[test]
    fn nothing_beside_an_image_forges_a_verdict(text in hostile::hostile()) {
        for explains in [false, true] {
            let forged = shown(&text, "human", explains);
            prop_assert_eq!(forged.lines().count(), shown("x", "human", explains).lines().count());
            prop_assert_eq!(&forged, &kiln_report::clean::lines(&forged));
        }
        let document = shown(&text, "json", true);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok());
        let (report, root) = (report(&text), Digest::of(b"index"));
        let trust = Trust { report: &report, root: &root, asked: &[] };
        prop_assert!(!render("human", &Results::Trust(&trust), 100).is_empty());
    }
}
