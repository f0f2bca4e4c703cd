use kiln_attest::predicate::short_name;
use kiln_attest::{Bundle, Statement, pae};
use kiln_finding::Diagnose;
use kiln_oci::Digest;
use serde::Serialize;

use crate::error::ErrorKind;
use crate::{Error, PublicKey};

/// How many bundles of one image are looked at.
const BUNDLES_MAX: usize = 50;

/// A value whose signature was checked. Only this crate makes one.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    key_hint: String,
}

impl<T> Verified<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The key it was checked with, as bundles name it.
    pub fn key_hint(&self) -> &str {
        &self.key_hint
    }
}

/// Checks one bundle: the signature is by `key`, over a statement about `image` with the predicate type `wanted`.
pub fn verify_bundle(
    bytes: &[u8],
    key: &PublicKey,
    image: &Digest,
    wanted: &str,
) -> Result<Verified<Statement>, Error> {
    let verified = verify_signature(bytes, key, image)?;
    let found = &verified.value.predicate_type;
    if found != wanted {
        return Err(ErrorKind::Predicate { found: found.clone(), wanted: wanted.to_owned() }.into());
    }
    Ok(verified)
}

/// Checks all but the predicate type, which the caller must look at.
fn verify_signature(bytes: &[u8], key: &PublicKey, image: &Digest) -> Result<Verified<Statement>, Error> {
    let bundle = Bundle::read(bytes).map_err(|source| ErrorKind::Bundle { source })?;
    // The hint is not asked: it is not signed, and the key alone decides.
    if !key.has_signed(&pae(&bundle.envelope.payload), &bundle.envelope.signature) {
        return Err(ErrorKind::Signature.into());
    }
    let statement =
        Statement::read(&bundle.envelope.payload).map_err(|source| ErrorKind::Statement { source })?;
    if !statement.is_about(image) {
        return Err(ErrorKind::Subject(*image).into());
    }
    Ok(Verified { value: statement, key_hint: key.hint() })
}

/// What is true of one required statement.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The predicate type that is required.
    pub predicate_type: String,
    /// The name people call it by.
    pub name: String,
    /// A right statement of this type was found.
    pub found: bool,
}

/// A bundle that was looked at and counts for nothing, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    /// Its place in the list that was given, from 0.
    pub number: usize,
    /// Stable code of the error.
    pub code: &'static str,
    /// The error with its causes.
    pub why: String,
}

/// What was asked of an image, and what was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The image.
    pub image: Digest,
    /// One line for each required statement.
    pub outcomes: Vec<Outcome>,
    /// Bundles that count for nothing.
    pub rejected: Vec<Rejected>,
    /// The right statements, of any type.
    pub statements: Vec<Verified<Statement>>,
}

impl Report {
    /// Whether everything required was found.
    pub fn is_satisfied(&self) -> bool {
        !self.outcomes.is_empty() && self.outcomes.iter().all(|outcome| outcome.found)
    }

    /// The right statement of this type.
    pub fn statement(&self, predicate_type: &str) -> Option<&Verified<Statement>> {
        self.statements.iter().find(|statement| statement.value.predicate_type == predicate_type)
    }
}

/// Checks the bundles of an image against what is required of it. A bundle that is wrong never counts, and never
/// makes another wrong; those beyond the fiftieth are not looked at.
pub fn verify_image(image: &Digest, bundles: &[Vec<u8>], key: &PublicKey, required: &[&str]) -> Report {
    let mut report =
        Report { image: *image, outcomes: Vec::new(), rejected: Vec::new(), statements: Vec::new() };
    for (number, bundle) in bundles.iter().take(BUNDLES_MAX).enumerate() {
        match verify_signature(bundle, key, image) {
            Ok(statement) => report.statements.push(statement),
            Err(error) => {
                report.rejected.push(Rejected { number, code: error.code(), why: with_causes(&error) });
            }
        }
    }
    for &wanted in required {
        let found = report.statement(wanted).is_some();
        let name = short_name(wanted).to_owned();
        report.outcomes.push(Outcome { predicate_type: wanted.to_owned(), name, found });
    }
    report
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
