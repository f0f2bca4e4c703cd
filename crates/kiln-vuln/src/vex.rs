//! VEX statements applied to a report: product names are taken in every form that tools write them.

use kiln_attest::{Vex, VexProduct, VexStatement};
use kiln_oci::{Digest, Reference};
use kiln_pkg::Purl;
use serde::{Deserialize, Serialize};

use crate::{Match, Suppression, VulnerabilityReport};

/// The image (or folder) that a report is about, by all its names.
#[derive(Clone, Debug, Default)]
pub struct VexTarget {
    /// `registry.example/team/app`, or less.
    pub name: Option<String>,
    /// `1.2`
    pub tag: Option<String>,
    /// Of its manifest, and of the index it was taken from.
    pub digests: Vec<Digest>,
}

/// A VEX document and where it was found.
#[derive(Clone, Debug)]
pub struct VexSource {
    /// For reports: a file, or `attestation`.
    pub place: String,
    /// The document.
    pub document: Vex,
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VexUse {
    /// Where its document was found.
    pub document: String,
    /// The ids of its vulnerability.
    pub ids: Vec<String>,
    /// Its status.
    pub status: String,
    /// How many findings it took out.
    pub applied: usize,
    /// Why it took out none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Takes out what the statements of `sources` clear, and says what became of each of them. Of several statements about
/// a finding the last counts: a later document over an earlier one, and in a document the newest.
pub fn apply_vex(report: &mut VulnerabilityReport, target: &VexTarget, sources: &[VexSource]) -> Vec<VexUse> {
    let statements: Vec<(&VexSource, &VexStatement)> = sources
        .iter()
        .flat_map(|source| source.document.statements.iter().map(move |statement| (source, statement)))
        .collect();
    let mut applied = vec![0; statements.len()];
    let mut why: Vec<Option<String>> = vec![None; statements.len()];
    report.suppress(|found| {
        let mut last = None;
        for (at, (_, statement)) in statements.iter().enumerate() {
            if !statement.ids.iter().any(|id| found.ids().any(|known| known == id)) {
                continue;
            }
            match fits(statement, found, target) {
                Ok(()) => last = Some(at),
                Err(reason) => why[at] = Some(reason),
            }
        }
        let at = last?;
        let (source, statement) = statements[at];
        if !statement.status.clears() {
            return None;
        }
        applied[at] += 1;
        Some(Suppression::Vex {
            document: source.place.clone(),
            author: source.document.author.clone(),
            status: statement.status.as_str().to_owned(),
            reason: statement.justification.clone().or_else(|| statement.impact.clone()),
        })
    });
    let outcome = |(at, (source, statement)): (usize, &(&VexSource, &VexStatement))| VexUse {
        document: source.place.clone(),
        ids: statement.ids.clone(),
        status: statement.status.as_str().to_owned(),
        applied: applied[at],
        why: (applied[at] == 0).then(|| {
            if !statement.status.clears() {
                return format!("`{}` takes nothing out", statement.status.as_str());
            }
            why[at]
                .clone()
                .unwrap_or_else(|| "nothing was found with this id, or a later statement counts".to_owned())
        }),
    };
    statements.iter().enumerate().map(outcome).collect()
}

/// Whether a statement is about `found` in `target`; if not, why.
fn fits(statement: &VexStatement, found: &Match, target: &VexTarget) -> Result<(), String> {
    if statement.products.is_empty() {
        return Ok(());
    }
    let mut reason = String::new();
    for product in &statement.products {
        match product_fits(product, found, target) {
            Ok(()) => return Ok(()),
            Err(why) => reason = why,
        }
    }
    Err(reason)
}

fn product_fits(product: &VexProduct, found: &Match, target: &VexTarget) -> Result<(), String> {
    let is_target = product.ids.is_empty() || product.ids.iter().any(|id| names_target(id, target));
    let is_package = product.ids.iter().any(|id| names_package(id, found));
    if !is_target && !is_package {
        let named = product.ids.first().map_or("", String::as_str);
        return Err(format!("its product `{named}` is neither this image nor {}", found.package));
    }
    // A part of a package is nothing that is found here, so a statement about one says nothing of the whole.
    if product.parts.is_empty() || product.parts.iter().flatten().any(|id| names_package(id, found)) {
        return Ok(());
    }
    let named = product.parts.first().and_then(|part| part.first()).map_or("", String::as_str);
    Err(format!("its subcomponent `{named}` is not {}", found.package))
}

/// Whether `id` names the package of `found`: a purl, with or without version and qualifiers. What it does not say, it
/// leaves open; what it says must be so.
fn names_package(id: &str, found: &Match) -> bool {
    let (Ok(named), Ok(package)) = (id.parse::<Purl>(), found.package.parse::<Purl>()) else { return false };
    if named.kind == "oci" || named.kind != package.kind || named.name != package.name {
        return false;
    }
    let same_namespace = named.namespace == package.namespace
        // Tools write distributions' packages with the vendor, the distribution, or nothing.
        || (matches!(named.kind.as_str(), "deb" | "apk") && named.namespace.is_none());
    let same_version = named.version.as_ref().is_none_or(|version| {
        Some(version) == package.version.as_ref()
            || found.ecosystem.compare(version, &found.version).is_some_and(std::cmp::Ordering::is_eq)
    });
    let agree = |key| match (named.qualifiers.get(key), package.qualifiers.get(key)) {
        (Some(named), Some(found)) => named == found,
        _ => true,
    };
    same_namespace && same_version && agree("arch")
}

/// Whether `id` names the image: `pkg:oci/…`, a reference, a digest, or the bare name.
fn names_target(id: &str, target: &VexTarget) -> bool {
    if let Ok(digest) = id.parse::<Digest>() {
        return target.digests.contains(&digest);
    }
    if id.starts_with("pkg:") {
        return id.parse::<Purl>().is_ok_and(|purl| purl_names_target(&purl, target));
    }
    let Ok(reference) = id.parse::<Reference>() else { return false };
    let fits = |digest: &Digest| target.digests.contains(digest);
    same_name(&reference.name, target)
        // By that digest nobody knows the target.
        && reference.sha512.is_none()
        && reference.digest.as_ref().is_none_or(fits)
        && (reference.digest.is_some() || reference.tag.is_none() || reference.tag == target.tag)
}

/// Source: purl-spec, type `oci`: the name is the last part of the repository's, the version is the digest.
fn purl_names_target(purl: &Purl, target: &VexTarget) -> bool {
    if !matches!(purl.kind.as_str(), "oci" | "docker") {
        return false;
    }
    let digest = purl.version.as_ref().map(|version| version.parse::<Digest>());
    let tag = purl.qualifiers.get("tag").or(purl.version.as_ref().filter(|_| !matches!(digest, Some(Ok(_)))));
    let digest = digest.and_then(Result::ok);
    if digest.is_some_and(|digest| !target.digests.contains(&digest)) {
        return false;
    }
    if tag.is_some_and(|tag| target.tag.as_ref() != Some(tag)) && digest.is_none() {
        return false;
    }
    let place = purl.qualifiers.get("repository_url").map(|url| {
        let url = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        url.trim_end_matches('/')
    });
    match (place, &purl.namespace) {
        // Some tools write the whole name, others the folder it is in.
        (Some(place), _) => same_name(place, target) || same_name(&format!("{place}/{}", purl.name), target),
        (None, Some(namespace)) => same_name(&format!("{namespace}/{}", purl.name), target),
        (None, None) => digest.is_some() || same_name(&purl.name, target),
    }
}

/// A name with fewer parts fits one with more that ends in it.
fn same_name(name: &str, target: &VexTarget) -> bool {
    let Some(own) = target.name.as_deref().filter(|own| !own.is_empty()) else { return false };
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    ends(own, name) || ends(name, own)
}
