use std::collections::BTreeMap;

use kiln_attest::{Material, Provenance, SourceCommit};
use kiln_base::{DebPin, NpmPin};
use kiln_build::{Key, tree_digest};
use kiln_finding::{Class, Fact, Failure};
use kiln_pkg::{Checksum, Purl};
use serde_json::json;

use crate::built::Built;

/// What others call the entry that a build was made from.
const SOURCE: Option<&str> = Some("source");

/// What the image was made from, as SLSA provenance. It names packages and digests, never places or secrets. `builder` is who the
/// certificate of the signer says built.
pub(crate) fn provenance(
    built: &Built,
    builder: Option<String>,
    finished_on: String,
) -> Result<Provenance, Failure> {
    let plan = &built.plan;
    let source = tree_digest(&built.tree).map_err(|(path, error)| {
        Failure::new("build.read", Class::Environment, format!("read {path}")).with_cause(error.to_string())
    })?;
    let mut materials = sources(&built.sources, source.hex());
    materials
        .push(material(&format!("kiln:base/{}", built.base.name), [("sha256", built.base.digest.hex())]));
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
        "build": steps(&plan.scripts()),
        "production": steps(&plan.production),
        "entry": plan.entry,
    });
    if let Some(uri) = built.sources.known().and_then(Option::as_ref).and_then(SourceCommit::uri) {
        parameters["source"] = json!(uri);
    }
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
        builder,
        finished_on: Some(finished_on),
    })
}

/// The files that were built from, and the commit whose files they are. Where they differ from it, no commit is claimed: what it is
/// that differs is noted of the files.
fn sources(sources: &Fact<Option<SourceCommit>>, digest: String) -> Vec<Material> {
    let mut files = material("kiln:source", [("sha256", digest)]);
    match sources {
        Fact::Known(None) => {}
        Fact::Unknown(why) => {
            files.annotations.insert("commitUnknown".to_owned(), json!(why));
        }
        Fact::Known(Some(commit)) if commit.changes.is_some() => {
            files.annotations.insert("changedSince".to_owned(), json!(commit));
        }
        Fact::Known(Some(commit)) => {
            let uri = commit.uri().unwrap_or_else(|| "git:source".to_owned());
            let mut of_commit =
                Material { name: SOURCE, ..material(&uri, [("gitCommit", commit.commit.clone())]) };
            if !commit.folder.is_empty() {
                of_commit.annotations.insert("folder".to_owned(), json!(commit.folder));
            }
            return vec![of_commit, files];
        }
    }
    vec![Material { name: SOURCE, ..files }]
}

fn material<const N: usize>(uri: &str, digest: [(&str, String); N]) -> Material {
    let digest: BTreeMap<String, String> =
        digest.into_iter().map(|(name, hex)| (name.to_owned(), hex)).collect();
    Material { name: None, uri: uri.to_owned(), digest, annotations: BTreeMap::new() }
}

fn npm_material(pin: &NpmPin) -> Material {
    let (namespace, name) = match pin.name.split_once('/') {
        Some((scope, name)) => (Some(scope.to_owned()), name.to_owned()),
        None => (None, pin.name.clone()),
    };
    let purl = Purl {
        kind: "npm".to_owned(),
        namespace,
        name,
        version: Some(pin.version.clone()),
        ..Purl::default()
    };
    material(&purl.to_string(), [digest(&pin.integrity)])
}

fn deb_material(pin: &DebPin) -> Material {
    let purl = Purl {
        kind: "deb".to_owned(),
        namespace: Some("debian".to_owned()),
        name: pin.name.clone(),
        version: Some(pin.version.clone()),
        qualifiers: BTreeMap::from([("arch".to_owned(), pin.arch.to_string())]),
        subpath: None,
    };
    material(&purl.to_string(), [digest(&pin.integrity)])
}

fn digest(checksum: &Checksum) -> (&'static str, String) {
    (checksum.algorithm().as_str(), checksum.hex())
}

#[cfg(test)]
mod tests {
    use kiln_oci::Arch;

    use super::*;

    #[test]
    fn materials_are_package_urls() {
        let (version, integrity): (String, Checksum) =
            ("1:12.2.0-14+deb12u1~x".to_owned(), format!("sha256:{}", "0".repeat(64)).parse().unwrap());
        let (name, path) = ("libstdc++6".to_owned(), String::new());
        let pin = DebPin {
            name,
            version,
            arch: Arch::Amd64,
            path,
            security: false,
            size: 0,
            integrity,
            uses: Vec::new(),
        };
        assert_eq!(
            deb_material(&pin).uri,
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1~x?arch=amd64"
        );
        let npm = |name: &str| NpmPin {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            path: String::new(),
            integrity,
        };
        assert_eq!(npm_material(&npm("node")).uri, "pkg:npm/node@1.0.0");
        assert_eq!(npm_material(&npm("@a/b")).uri, "pkg:npm/%40a/b@1.0.0");
    }
}
