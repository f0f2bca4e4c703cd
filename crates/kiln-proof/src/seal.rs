//! Statements about an image, signed and stored beside it, and found and checked again.

use kiln_attest::{Statement, predicate};
use kiln_finding::{Class, Failure};
use kiln_oci::Descriptor;
use kiln_pkg::Inventory;
use kiln_sbom::{Document, DocumentSubject};
use kiln_sign::Signer;
use kiln_store::Layout;
use kiln_trust::{Authority, Requirement, TrustReport, Verified};
use serde_json::Value;

use crate::built::Built;
use crate::provenance::provenance;
use crate::statements;

/// What every shipped image must have.
pub const REQUIRED: [&str; 4] =
    [predicate::SIGNATURE, predicate::SPDX, predicate::CYCLONEDX, predicate::PROVENANCE];
const SBOMS: [&str; 2] = ["spdx-json", "cyclonedx-json"];

/// Signs the image and what is known of it, but for what `there` holds already: what this signer said before and what is still so.
/// Tells what it added, by predicate type. `now` is RFC 3339, to the second.
pub fn seal(
    built: &Built,
    inventory: &Inventory,
    signer: &Signer,
    layout: &Layout,
    there: &TrustReport,
    now: &str,
) -> Result<Vec<String>, Failure> {
    let said: Vec<&Statement> = there.statements.iter().map(Verified::get).collect();
    let mut missing = Vec::new();
    for statement in statements(built, inventory, signer, now)? {
        if said.iter().all(|before| !says_the_same(before, &statement)) {
            statements::add(layout, &built.manifest, &statement, signer, now)?;
            missing.push(statement.predicate_type);
        }
    }
    Ok(missing)
}

fn statements(
    built: &Built,
    inventory: &Inventory,
    signer: &Signer,
    now: &str,
) -> Result<Vec<Statement>, Failure> {
    let digest = built.manifest.digest;
    let mut made =
        vec![Statement::about(&digest, predicate::SIGNATURE, Value::Object(serde_json::Map::new()))];
    let (name, tag) = built.name.rsplit_once(':').unwrap_or((&built.name, ""));
    let subject = DocumentSubject {
        name: name.to_owned(),
        tag: (!tag.is_empty()).then(|| tag.to_owned()),
        digest: Some(digest),
        arch: Some(built.arch.as_str().to_owned()),
    };
    let document =
        Document { subject: &subject, inventory, created: now, tool_version: env!("CARGO_PKG_VERSION") };
    for name in SBOMS {
        let format = kiln_sbom::find(name).ok_or_else(|| bug(format!("the SBOM format {name} is gone")))?;
        let sbom: Value = serde_json::from_str(&(format.render)(&document))
            .map_err(|error| bug(format!("the {name} document is no JSON: {error}")))?;
        made.push(Statement::about(&digest, format.predicate_type, sbom));
    }
    let workflow = signer.certificate().and_then(|says| says.build_signer.clone());
    let provenance = provenance(built, workflow, now.to_owned())?;
    made.push(Statement::about(&digest, predicate::PROVENANCE, provenance.predicate()));
    Ok(made)
}

/// Whether nothing is to be said again. The same image can be built from other sources and in another way, so that provenance says
/// the same only where it names the same build; what else is said of a digest follows from it. A network that nothing needed, as all
/// was made before, makes no other build.
fn says_the_same(before: &Statement, now: &Statement) -> bool {
    let build = |statement: &Statement| {
        let part = |way: &str| statement.predicate.as_ref()?.pointer(way).cloned();
        [
            "/buildDefinition/externalParameters",
            "/buildDefinition/resolvedDependencies",
            "/runDetails/builder",
        ]
        .map(part)
    };
    before.predicate_type == now.predicate_type
        && (now.predicate_type != predicate::PROVENANCE || build(before) == build(now))
}

fn bug(what: String) -> Failure {
    Failure::new("kiln.bug", Class::Bug, what)
}

/// Looks for what every shipped image must have, signed by whom it must be.
pub fn verify_sealed(
    layout: &Layout,
    image: &Descriptor,
    signer: &Authority,
) -> Result<TrustReport, Failure> {
    statements::verify(layout, image, signer, &required())
}

/// [`REQUIRED`], as it is asked for.
pub(crate) fn required() -> [Requirement; REQUIRED.len()] {
    REQUIRED.map(Requirement::of)
}
