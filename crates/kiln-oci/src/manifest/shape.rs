//! Manifests and indexes as they are written, of which only one reading is let through.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::null::null_is_empty;
use crate::{Descriptor, Index, Manifest, media_type};

/// The only schema version of both.
const SCHEMA: u64 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManifestShape {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    config: Descriptor,
    #[serde(default, deserialize_with = "null_is_empty")]
    layers: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    manifests: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound = "D: Deserialize<'de>")]
pub(crate) struct IndexShape<D = Descriptor> {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    manifests: Vec<D>,
    #[serde(default, deserialize_with = "null_is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    layers: Value,
    #[serde(default)]
    config: Value,
}

/// What one reader takes for an image and another for an index has one digest and two contents (CVE-2021-41190).
const BOTH: &str = "it is an image and an index at once";

fn check(schema: u64, is_both: bool) -> Result<(), String> {
    match schema {
        SCHEMA if is_both => Err(BOTH.to_owned()),
        SCHEMA => Ok(()),
        other => Err(format!("its schema version is {other}, and only {SCHEMA} is read")),
    }
}

impl TryFrom<ManifestShape> for Manifest {
    type Error = String;

    fn try_from(shape: ManifestShape) -> Result<Self, String> {
        let is_index = shape.media_type.as_deref().is_some_and(media_type::is_index);
        check(shape.schema_version, is_index || !shape.manifests.is_null())?;
        Ok(Self {
            schema_version: 2,
            media_type: shape.media_type,
            artifact_type: shape.artifact_type,
            config: shape.config,
            layers: shape.layers,
            subject: shape.subject,
            annotations: shape.annotations,
        })
    }
}

impl<D> IndexShape<D> {
    /// Itself, where it is an index that is read.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let is_image = self.media_type.as_deref().is_some_and(media_type::is_manifest);
        check(self.schema_version, is_image || !self.layers.is_null() || !self.config.is_null())?;
        Ok(self)
    }

    /// What it lists.
    pub(crate) fn manifests(self) -> Vec<D> {
        self.manifests
    }
}

impl TryFrom<IndexShape> for Index {
    type Error = String;

    fn try_from(shape: IndexShape) -> Result<Self, String> {
        let IndexShape { media_type, manifests, annotations, .. } = shape.checked()?;
        Ok(Self { schema_version: 2, media_type, manifests, annotations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(kind: &str) -> String {
        format!(r#"{{"mediaType":"{kind}","digest":"sha256:{}","size":2}}"#, "a".repeat(64))
    }

    fn manifest(fields: &str) -> Result<Manifest, serde_json::Error> {
        let config = descriptor(media_type::CONFIG);
        serde_json::from_str(&format!(r#"{{{fields},"config":{config},"layers":[]}}"#))
    }

    #[test]
    fn a_document_is_an_image_or_an_index() {
        let entry = descriptor(media_type::MANIFEST);
        assert!(manifest(r#""schemaVersion":2"#).is_ok());
        assert!(manifest(r#""schemaVersion":2,"manifests":null"#).is_ok());
        for both in [
            format!(r#""schemaVersion":2,"manifests":[{entry}]"#),
            r#""schemaVersion":2,"manifests":[]"#.to_owned(),
            format!(r#""schemaVersion":2,"mediaType":"{}""#, media_type::INDEX),
        ] {
            assert!(manifest(&both).unwrap_err().to_string().contains(BOTH), "{both}");
        }
        let index = |fields: &str| {
            serde_json::from_str::<Index>(&format!(r#"{{"schemaVersion":2,"manifests":[{entry}]{fields}}}"#))
        };
        assert_eq!(index("").unwrap().manifests.len(), 1);
        for both in [
            r#","layers":[]"#.to_owned(),
            format!(r#","config":{}"#, descriptor(media_type::CONFIG)),
            format!(r#","mediaType":"{}""#, media_type::DOCKER_MANIFEST),
        ] {
            assert!(index(&both).unwrap_err().to_string().contains(BOTH), "{both}");
        }
    }

    #[test]
    fn other_schema_versions_are_not_read() {
        for version in ["1", "3", "258"] {
            let error = manifest(&format!(r#""schemaVersion":{version}"#)).unwrap_err();
            assert!(error.to_string().contains("only 2 is read"), "{error}");
        }
        assert!(manifest(r#""mediaType":"x""#).is_err());
        assert!(serde_json::from_str::<Index>(r#"{"schemaVersion":1,"manifests":[]}"#).is_err());
    }

    #[test]
    fn lists_that_go_writes_as_null_are_empty() {
        let index: Index =
            serde_json::from_str(r#"{"schemaVersion":2,"manifests":null,"annotations":null}"#).unwrap();
        assert!(index.manifests.is_empty() && index.annotations.is_empty());
    }
}
