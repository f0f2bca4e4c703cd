//! What was said about an image: checked, counted, and added to it.

use kiln_attest::{Statement, legacy, predicate};
use kiln_finding::Failure;
use kiln_image::{Sink, Source, read_small};
use kiln_oci::{Descriptor, Digest, Manifest};
use kiln_sign::{Attachment, Signer, attach};
use kiln_trust::{Authority, Evidence, Requirement, TrustReport, verify_image};

use crate::found::{BUNDLE_PREDICATE, Depth, Found};

/// How many manifests are opened to count what they hold.
const COUNTED_MAX: usize = 100;

/// Looks for what was said about an image as anyone would who has only a layout, or a registry, and checks it.
pub fn verify<S: Source + Sync>(
    place: &S,
    image: &Descriptor,
    authority: &Authority,
    required: &[Requirement],
) -> Result<TrustReport, Failure> {
    let mut found = Found::about(place, image, image)?;
    let verify = |evidence: &[Evidence]| verify_image(&image.digest, evidence, authority, required);
    Ok(found.judged(Depth::Enough, verify))
}

/// How many manifests beside an image say that they hold statements of this kind. Nothing is checked, and what cannot be read does
/// not count.
pub fn count<S: Source>(place: &S, image: &Digest, family: &str) -> usize {
    let is_one = |annotations: &std::collections::BTreeMap<String, String>| {
        let kinds = [annotations.get(BUNDLE_PREDICATE), annotations.get(legacy::PREDICATE_TYPE)];
        kinds.into_iter().flatten().any(|kind| kind.starts_with(family))
    };
    let tagged = place.resolve_all(&legacy::tag(image, "att")).unwrap_or_default().found;
    let listed = place.referrers(image).unwrap_or_default().found;
    // What is listed with its kind need not be opened.
    let (told, others): (Vec<Descriptor>, Vec<Descriptor>) =
        listed.into_iter().partition(|listed| listed.annotations.contains_key(BUNDLE_PREDICATE));
    let holds = |descriptor: &Descriptor| {
        let bytes = read_small(place, "referrer", descriptor).unwrap_or_default();
        serde_json::from_slice::<Manifest>(&bytes).is_ok_and(|manifest| {
            is_one(&manifest.annotations) || manifest.layers.iter().any(|layer| is_one(&layer.annotations))
        })
    };
    let opened = tagged.into_iter().chain(others).take(COUNTED_MAX).filter(holds).count();
    told.iter().filter(|listed| is_one(&listed.annotations)).count() + opened
}

/// Signs a statement and puts it beside its image. `now` is RFC 3339, to the second.
pub fn add<T: Sink>(
    sink: &T,
    image: &Descriptor,
    statement: &Statement,
    signer: &Signer,
    now: &str,
) -> Result<Descriptor, Failure> {
    let bundle = signer.sign(statement, &image.digest)?;
    let Attachment { manifest, bundle, config } = attach(&bundle, &statement.predicate_type, image, now);
    for (content, bytes) in [&config, &bundle, &manifest] {
        sink.put(content, &mut &bytes[..])?;
    }
    sink.publish(&manifest.0, None)?;
    Ok(manifest.0)
}

/// Who signed, for programs.
pub fn signer_json(signer: &Signer) -> Result<(&'static str, serde_json::Value), Failure> {
    Ok(match signer.certificate() {
        Some(says) => ("certificate", serde_json::json!({ "issuer": says.issuer, "subject": says.subject })),
        None => ("key", signer.key().public()?.hint().into()),
    })
}

/// Refuses the older forms for a certificate: they have no place that kiln reads it from.
pub fn refuse_legacy(signer: &Signer) -> Result<(), Failure> {
    if signer.certificate().is_none() && !signer.has_witnesses() {
        return Ok(());
    }
    Err(Failure::usage("write the form before bundles: it is for keys alone, without witnesses")
        .with_help("leave --legacy away, or sign with --key alone"))
}

/// What an attached manifest says, in one word where there is one: the kind of its statement, else of the artifact.
pub fn kind_of(layout: &kiln_store::Layout, manifest: &Descriptor) -> String {
    let read = kiln_image::read_small(layout, "manifest", manifest).ok();
    let read = read.and_then(|bytes| serde_json::from_slice::<kiln_oci::Manifest>(&bytes).ok());
    let Some(read) = read else { return "unreadable".to_owned() };
    match read.annotations.get(BUNDLE_PREDICATE) {
        Some(predicate) => {
            let short = NAMES.iter().find(|(_, known)| known == predicate);
            short.map_or_else(|| predicate.clone(), |(short, _)| (*short).to_owned())
        }
        None => read.artifact_type.unwrap_or_else(|| "other".to_owned()),
    }
}

/// The short names of predicate types that commands take, with cosign's.
const NAMES: [(&str, &str); 11] = [
    ("signature", predicate::SIGNATURE),
    ("spdx", predicate::SPDX),
    ("spdxjson", predicate::SPDX),
    ("cyclonedx", predicate::CYCLONEDX),
    ("provenance", predicate::PROVENANCE),
    ("slsaprovenance1", predicate::PROVENANCE),
    ("slsaprovenance02", predicate::PROVENANCE_V02),
    ("scan", predicate::VULNERABILITIES),
    ("vuln", predicate::VULNERABILITIES),
    ("openvex", predicate::OPENVEX_FAMILY),
    ("custom", predicate::CUSTOM),
];

/// The predicate type of a short name, or the type itself.
pub fn predicate_type(name: &str) -> Result<String, Failure> {
    if let Some((_, found)) = NAMES.iter().find(|(short, _)| *short == name) {
        return Ok((*found).to_owned());
    }
    if name.contains("://") {
        return Ok(name.to_owned());
    }
    let known: Vec<&str> = NAMES.iter().map(|(short, _)| *short).collect();
    Err(Failure::usage(format!("use the predicate type `{name}`: there is none of that name")).with_help(
        kiln_finding::did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("name one of {}, or write the whole URI", known.join(", "))),
    ))
}
