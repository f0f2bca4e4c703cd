use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Something that went into a build, by name and digest. Source: in-toto attestation, `spec/v1/resource_descriptor.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// What it is to the build: `source`, or nothing.
    pub name: Option<&'static str>,
    /// A package URL or another name without a host of this machine's configuration.
    pub uri: String,
    /// Hex digests by algorithm.
    pub digest: BTreeMap<String, String>,
    /// What else is known of it.
    pub annotations: BTreeMap<String, Value>,
}

/// What a build was made from and how. Source: SLSA provenance v1.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// What the user asked for: the decisions of the plan. Never a secret.
    pub parameters: Value,
    /// What kiln decided on its own, such as its version.
    pub internal: Value,
    /// Everything that went in; the sources come first.
    pub materials: Vec<Material>,
    /// Identifies one run; a digest of its inputs keeps equal runs equal.
    pub invocation: String,
    /// Who vouches for the run: a certificate's workflow. None is a person's machine, whatever its environment says.
    pub builder: Option<String>,
    /// RFC 3339 time at which the build ended; left out where times are not to be recorded.
    pub finished_on: Option<String>,
}

/// How kiln builds. The version grows when the parameters change their meaning.
const BUILD_TYPE: &str = "https://kiln.dev/build/node/v1";
const BUILDER: &str = "https://kiln.dev/builder/local/v1";

impl Provenance {
    /// The predicate of an in-toto statement.
    pub fn predicate(&self) -> Value {
        let materials: Vec<Value> = self.materials.iter().map(Material::descriptor).collect();
        let mut metadata = json!({ "invocationId": self.invocation });
        if let Some(time) = &self.finished_on {
            metadata["finishedOn"] = json!(time);
        }
        json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": self.parameters,
                "internalParameters": self.internal,
                "resolvedDependencies": materials,
            },
            "runDetails": { "builder": { "id": self.builder.as_deref().unwrap_or(BUILDER) }, "metadata": metadata },
        })
    }
}

impl Material {
    fn descriptor(&self) -> Value {
        let mut descriptor = json!({ "uri": self.uri, "digest": self.digest });
        if let Some(name) = self.name {
            descriptor["name"] = json!(name);
        }
        if !self.annotations.is_empty() {
            descriptor["annotations"] = json!(self.annotations);
        }
        descriptor
    }
}
