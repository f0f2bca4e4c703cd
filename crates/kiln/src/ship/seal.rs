//! Statements about an image, signed and stored beside it, and found and checked again.

use kiln_attest::{Statement, predicate};
use kiln_finding::Class;
use kiln_image::{Sink, Source, read_small};
use kiln_oci::{Descriptor, Manifest, media_type};
use kiln_pkg::Inventory;
use kiln_sbom::{Document, Subject};
use kiln_sign::{KeyPair, attach};
use kiln_store::Layout;
use kiln_trust::{PublicKey, Report, verify_image};
use serde_json::Value;

use super::provenance::provenance;
use crate::build::Outcome;
use crate::failure::Failure;

/// What every shipped image must have.
pub(crate) const REQUIRED: [&str; 4] =
    [predicate::SIGNATURE, predicate::SPDX, predicate::CYCLONEDX, predicate::PROVENANCE];
const SBOMS: [&str; 2] = ["spdx-json", "cyclonedx-json"];
/// How many referrers of one image are looked at.
const REFERRERS_MAX: usize = 50;

/// Signs the image and what is known of it. `now` is RFC 3339, to the second.
pub(crate) fn seal(
    built: &Outcome,
    inventory: &Inventory,
    key: &KeyPair,
    layout: &Layout,
    now: &str,
) -> Result<(), Failure> {
    let digest = built.manifest.digest;
    let mut statements =
        vec![Statement::about(&digest, predicate::SIGNATURE, Value::Object(serde_json::Map::new()))];
    let (name, tag) = built.name.rsplit_once(':').unwrap_or((&built.name, ""));
    let subject = Subject {
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
        statements.push(Statement::about(&digest, format.predicate_type, sbom));
    }
    let provenance = provenance(built, now.to_owned())?;
    statements.push(Statement::about(&digest, predicate::PROVENANCE, provenance.predicate()));
    for statement in statements {
        let attachment = attach(&key.sign(&statement)?, &statement.predicate_type, &built.manifest, now);
        for (content, bytes) in [&attachment.config, &attachment.bundle, &attachment.manifest] {
            layout.put(content, &mut &bytes[..])?;
        }
        layout.publish(&attachment.manifest.0, None)?;
    }
    Ok(())
}

fn bug(what: String) -> Failure {
    Failure::new("kiln.bug", Class::Bug, what)
}

/// Looks for the statements about an image as anyone would who has only a layout, or a registry, and a public key.
pub(crate) fn verify<S: Source>(
    place: &S,
    image: &Descriptor,
    key: &PublicKey,
    required: &[&str],
) -> Result<Report, Failure> {
    let mut bundles = Vec::new();
    for referrer in place.referrers(&image.digest)?.into_iter().take(REFERRERS_MAX) {
        let bytes = read_small(place, "referrer", &referrer)?;
        // What is no manifest, or of another kind, is no statement of the kind that is looked for.
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { continue };
        let [layer] = &manifest.layers[..] else { continue };
        if layer.media_type == media_type::SIGSTORE_BUNDLE && layer.size <= kiln_attest::BUNDLE_MAX as u64 {
            bundles.push(read_bundle(place, layer)?);
        }
    }
    Ok(verify_image(&image.digest, &bundles, key, required))
}

fn read_bundle<S: Source>(place: &S, layer: &Descriptor) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    place.open(layer)?.read_to_end(&mut bytes).map_err(|error| {
        Failure::new("store.content", Class::Content, format!("read the bundle {}", layer.digest))
            .with_cause(error.to_string())
    })?;
    Ok(bytes)
}
