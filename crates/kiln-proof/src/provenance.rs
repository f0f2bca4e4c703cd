use std::collections::BTreeMap;

use kiln_attest::{Material, Provenance};
use kiln_base::{DebPin, Integrity, NpmPin};
use kiln_build::{Key, tree_digest};
use kiln_finding::{Class, Failure};
use serde_json::json;

use crate::built::Built;

/// What the image was made from, as SLSA provenance. It names packages and digests, never places or secrets.
pub(crate) fn provenance(built: &Built, finished_on: String) -> Result<Provenance, Failure> {
    let plan = &built.plan;
    let source = tree_digest(&built.tree).map_err(|(path, error)| {
        Failure::new("build.read", Class::Environment, format!("read {path}")).with_cause(error.to_string())
    })?;
    let mut materials = vec![
        material("kiln:source", [("sha256", source.hex())]),
        material(&format!("kiln:base/{}", built.base.name), [("sha256", built.base.digest.hex())]),
    ];
    if let Some(revision) = &built.revision {
        materials.push(material("git:source", [("gitCommit", revision.clone())]));
    }
    materials.extend(built.lock.npm.iter().map(npm_material));
    materials.extend(built.lock.debs.iter().filter(|deb| deb.arch == built.arch).map(deb_material));
    let steps = |steps: &[kiln_plan::Step]| steps.iter().map(|step| step.argv.join(" ")).collect::<Vec<_>>();
    let invocation = Key::new("invocation")
        .field("image", built.manifest.digest.as_bytes())
        .field("lock", built.lock.render())
        .finish();
    let mut parameters = json!({
        "app": plan.name,
        "platform": format!("linux/{}", built.arch),
        "node": plan.node,
        "packageManager": plan.manager,
        "install": steps(&plan.install),
        "build": steps(&plan.build),
        "production": steps(&plan.production),
        "entry": plan.entry,
    });
    for (name, list) in [("cacheFrom", &built.cache_from), ("secrets", &built.secrets)] {
        if !list.is_empty() {
            parameters[name] = json!(list);
        }
    }
    Ok(Provenance {
        parameters,
        internal: json!({ "kiln": env!("CARGO_PKG_VERSION"), "network": built.network }),
        materials,
        invocation: invocation.to_string(),
        finished_on: Some(finished_on),
    })
}

fn material<const N: usize>(uri: &str, digest: [(&str, String); N]) -> Material {
    let digest: BTreeMap<String, String> =
        digest.into_iter().map(|(name, hex)| (name.to_owned(), hex)).collect();
    Material { uri: uri.to_owned(), digest }
}

fn npm_material(pin: &NpmPin) -> Material {
    material(&format!("pkg:npm/{}@{}", pin.name, pin.version), [digest(&pin.integrity)])
}

fn deb_material(pin: &DebPin) -> Material {
    // `+` and `~` are data in a version; purl-spec asks for the first to be escaped.
    let version = pin.version.replace('+', "%2B");
    material(&format!("pkg:deb/debian/{}@{version}?arch={}", pin.name, pin.arch), [digest(&pin.integrity)])
}

fn digest(integrity: &Integrity) -> (&'static str, String) {
    match integrity {
        Integrity::Sha256(bytes) => ("sha256", hex::encode(bytes)),
        Integrity::Sha512(bytes) => ("sha512", hex::encode(bytes)),
    }
}
