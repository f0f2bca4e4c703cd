use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Something that went into a build, by name and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// A package URL or another name without a host of this machine's configuration.
    pub uri: String,
    /// Hex digests by algorithm.
    pub digest: BTreeMap<String, String>,
}

/// What a build was made from and how. Source: SLSA provenance v1.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// What the user asked for: the decisions of the plan. Never a secret.
    pub parameters: Value,
    /// What kiln decided on its own, such as its version.
    pub internal: Value,
    /// Everything that went in.
    pub materials: Vec<Material>,
    /// Identifies one run; a digest of its inputs keeps equal runs equal.
    pub invocation: String,
    /// RFC 3339 time at which the build ended; left out where times are not to be recorded.
    pub finished_on: Option<String>,
}

/// How kiln builds. The version grows when the parameters change their meaning.
const BUILD_TYPE: &str = "https://kiln.dev/build/node/v1";
const BUILDER: &str = "https://kiln.dev/builder/local/v1";

impl Provenance {
    /// The predicate of an in-toto statement.
    pub fn predicate(&self) -> Value {
        let materials: Vec<Value> = self
            .materials
            .iter()
            .map(|material| json!({ "uri": material.uri, "digest": material.digest }))
            .collect();
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
            "runDetails": { "builder": { "id": BUILDER }, "metadata": metadata },
        })
    }
}
