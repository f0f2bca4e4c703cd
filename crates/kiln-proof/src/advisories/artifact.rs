//! A database as an OCI artifact: one layer, signed like an image.

use std::io::Read;

use kiln_attest::{Statement, predicate};
use kiln_finding::{Class, Failure};
use kiln_image::{Sink, Source, read_small};
use kiln_images::{CopyTarget, Destination, Located, Machine, Prefer};
use kiln_oci::{Descriptor, Manifest, media_type};
use kiln_sign::Signer;
use kiln_trust::Requirement;

use super::{DATABASE_MAX, Signed};
use crate::statements;

/// What the artifact is.
const ARTIFACT: &str = "application/vnd.kiln.advisories";
/// Version 2 of the format of the database.
const LAYER: &str = "application/vnd.kiln.advisories.v2";

/// Puts a database where `name` says, with a signature. `now` is RFC 3339.
pub fn publish(
    machine: &Machine,
    name: &str,
    database: &[u8],
    signer: &Signer,
    now: &str,
) -> Result<Descriptor, Failure> {
    let target = CopyTarget::open(machine, name, "advisories", None)?;
    let place = match &target.destination {
        Destination::Layout(_) | Destination::Registry(_) => &target.destination,
        Destination::File(_) | Destination::Daemon(_) => {
            return Err(Failure::usage(format!("publish the advisories to {name}: it holds only images"))
                .with_help(
                    "name a registry or a layout: registry.example/team/advisories:latest, oci:DIR:TAG",
                ));
        }
    };
    let layer = Descriptor::of(LAYER, database);
    let config_bytes = b"{}".as_slice();
    let config = Descriptor::of(media_type::EMPTY, config_bytes);
    let mut manifest = Manifest::image(config.clone(), vec![layer.clone()]);
    manifest.artifact_type = Some(ARTIFACT.to_owned());
    manifest.annotations.insert("org.opencontainers.image.created".to_owned(), now.to_owned());
    let bytes = manifest.to_bytes();
    let mut descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
    descriptor.artifact_type = Some(ARTIFACT.to_owned());
    let statement = Statement::about(
        &descriptor.digest,
        predicate::SIGNATURE,
        serde_json::Value::Object(serde_json::Map::new()),
    );
    let blobs = [(&config, config_bytes), (&layer, database), (&descriptor, bytes.as_slice())];
    for (content, mut bytes) in blobs {
        place.put(content, &mut bytes)?;
    }
    statements::add(place, &descriptor, &statement, signer, now)?;
    // Last, so that nobody finds it without its signature.
    place.publish(&descriptor, target.tag.as_deref())?;
    Ok(descriptor)
}

/// The bytes of a published database whose signature is verified.
pub fn pull(machine: &Machine, name: &str, signed: &Signed) -> Result<Vec<u8>, Failure> {
    let located = Located::find(machine, name, Prefer::Here)?;
    let refuse =
        |why: &str| Failure::new("db.artifact", Class::Content, format!("use the advisories {name}: {why}"));
    let required = [Requirement::of(predicate::SIGNATURE)];
    let authority = signed.key.clone().into();
    let report = statements::verify(&located.place, &located.descriptor, &authority, &required)?;
    if !report.is_satisfied() {
        let why = format!("no signature on it is by {}", signed.path.display());
        return Err(Failure::new("db.signature", Class::Content, refuse(&why).what)
            .with_help("the database in use stays; ask who publishes the advisories for their key"));
    }
    let bytes = read_small(&located.place, "manifest", &located.descriptor)?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| refuse("its manifest is broken").with_cause(error.to_string()))?;
    let layer = match &manifest.layers[..] {
        [layer] if layer.media_type == LAYER && layer.size <= DATABASE_MAX => layer,
        _ => return Err(refuse("it is no advisory database of this version of kiln")),
    };
    let mut content = Vec::new();
    let read = located.place.open(layer)?.read_to_end(&mut content);
    read.map_err(|error| refuse("it could not be read").with_cause(error.to_string()))?;
    Ok(content)
}
