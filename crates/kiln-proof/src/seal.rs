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
    let missing = missing(built, inventory, signer, there, now)?;
    for statement in &missing {
        statements::add(layout, &built.manifest, statement, signer, now)?;
    }
    Ok(missing.into_iter().map(|statement| statement.predicate_type).collect())
}

/// What is to be said, without what was said. A signature follows from the digest, and so do SBOMs of what lies in layers: they are only made
/// where there are none. What a bundler may have taken follows from the lock file, too, and is compared.
fn missing(
    built: &Built,
    inventory: &Inventory,
    signer: &Signer,
    there: &TrustReport,
    now: &str,
) -> Result<Vec<Statement>, Failure> {
    let digest = built.manifest.digest;
    let said = || there.statements.iter().map(Verified::get);
    let is_said = |predicate_type: &str| said().any(|before| before.predicate_type == predicate_type);
    let mut missing = Vec::new();
    if !is_said(predicate::SIGNATURE) {
        let nothing = Value::Object(serde_json::Map::new());
        missing.push(Statement::about(&digest, predicate::SIGNATURE, nothing));
    }
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
        if is_said(format.predicate_type) && lies_in_layers(inventory) {
            continue;
        }
        let sbom: Value = serde_json::from_str(&(format.render)(&document))
            .map_err(|error| bug(format!("the {name} document is no JSON: {error}")))?;
        let statement = Statement::about(&digest, format.predicate_type, sbom);
        if said().all(|before| !lists_the_same(before, &statement)) {
            missing.push(statement);
        }
    }
    let workflow = signer.certificate().and_then(|says| says.build_signer.clone());
    let provenance = provenance(built, workflow, now.to_owned())?;
    let provenance = Statement::about(&digest, predicate::PROVENANCE, provenance.predicate());
    if said().all(|before| !is_of_one_build(before, &provenance)) {
        missing.push(provenance);
    }
    Ok(missing)
}

fn lies_in_layers(inventory: &Inventory) -> bool {
    inventory.packages.iter().flat_map(|package| &package.places).all(|place| place.layer.is_some())
}

/// Whether two statements are SBOMs in one format that list the same packages.
fn lists_the_same(before: &Statement, now: &Statement) -> bool {
    let lists = |statement: &Statement| {
        let list = |way: &str| statement.predicate.as_ref()?.pointer(way).cloned();
        [list("/packages"), list("/components")]
    };
    before.predicate_type == now.predicate_type && lists(before) == lists(now)
}

/// Whether two statements are provenance of one build. The same image can be built from other sources and in another way. A network that
/// nothing needed, as all was made before, makes no other build.
fn is_of_one_build(before: &Statement, now: &Statement) -> bool {
    let build = |statement: &Statement| {
        let part = |way: &str| statement.predicate.as_ref()?.pointer(way).cloned();
        [
            "/buildDefinition/externalParameters",
            "/buildDefinition/resolvedDependencies",
            "/runDetails/builder",
        ]
        .map(part)
    };
    before.predicate_type == now.predicate_type && build(before) == build(now)
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
