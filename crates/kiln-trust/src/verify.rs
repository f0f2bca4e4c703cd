use std::collections::BTreeSet;

use kiln_attest::Statement;
use kiln_finding::Diagnose;
use kiln_oci::Digest;

use crate::error::ErrorKind;
use crate::evidence::{self, Evidence, Form};
use crate::read::with_causes;
use crate::report::{Examined, Rejection, TrustReport, Verified, outcome};
use crate::{Authority, Error, Requirement, Unseen};

/// How many pieces of evidence about one image are checked. Whoever looks for them has a budget that ends long before.
const EVIDENCE_MAX: usize = 1000;

/// Checks one bundle: the signature is right, over a statement about `image` with the predicate type `wanted`.
pub fn verify_bundle(
    bytes: &[u8],
    authority: &Authority,
    image: &Digest,
    wanted: &str,
) -> Result<Verified<Statement>, Error> {
    let (value, signer) = authority.check(bytes, image)?;
    if value.predicate_type != wanted {
        let found = value.predicate_type;
        return Err(ErrorKind::Predicate { found, wanted: wanted.to_owned() }.into());
    }
    Ok(Verified { value, signer })
}

/// Checks the evidence about an image, and about the index that holds it, against what is required of it. A piece that is wrong never
/// counts, and never makes another wrong. [`TrustReport::leaving`] takes in what was not looked at.
pub fn verify_image(
    image: &Digest,
    evidence: &[Evidence],
    authority: &Authority,
    required: &[Requirement],
) -> TrustReport {
    let mut report = TrustReport::nothing(*image, &[]);
    for piece in evidence.iter().take(EVIDENCE_MAX) {
        let examined = Examined {
            about: piece.about,
            place: piece.place.clone(),
            form: piece.form.as_str(),
            predicate_type: None,
            signer: None,
            rejected: None,
        };
        report.examined.push(match evidence::check(piece, authority) {
            Ok((value, signer)) => {
                let predicate_type = Some(value.predicate_type.clone());
                report.statements.push(Verified { value, signer: signer.clone() });
                Examined { predicate_type, signer: Some(signer), ..examined }
            }
            Err(error) => {
                let rejection = Rejection { code: error.code(), why: with_causes(&error) };
                Examined { rejected: Some(rejection), ..examined }
            }
        });
    }
    let abouts: BTreeSet<Digest> = evidence.iter().map(|piece| piece.about).collect();
    report.outcomes = required.iter().map(|wanted| outcome(wanted, &report.statements, &abouts)).collect();
    report.leaving(&vec![Unseen::default(); evidence.len().saturating_sub(EVIDENCE_MAX)], &[])
}

/// Bundles without a place of their own, as evidence about `image`.
pub fn bundles(image: &Digest, bundles: impl IntoIterator<Item = Vec<u8>>) -> Vec<Evidence> {
    let piece = |(at, bytes)| {
        let place = format!("bundle {}", at + 1);
        Evidence { about: *image, place, form: Form::Bundle(bytes) }
    };
    bundles.into_iter().enumerate().map(piece).collect()
}
