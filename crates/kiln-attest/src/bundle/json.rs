//! A bundle as it is written.

use kiln_oci::media_type;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::envelope::EnvelopeJson;
use crate::error::ErrorKind;
use crate::log_entry::EntryJson;
use crate::size::BUNDLE_MAX;

const WHAT: &str = "Sigstore bundle";
/// The version since which a bundle has the certificate of the signer alone.
const CERTIFICATE_ALONE: u8 = 3;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BundleJson {
    pub(super) media_type: String,
    pub(super) verification_material: MaterialJson,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dsse_envelope: Option<EnvelopeJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_signature: Option<MessageJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MaterialJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<KeyJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<RawJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) x509_certificate_chain: Option<ChainJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tlog_entries: Vec<EntryJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp_verification_data: Option<TimestampsJson>,
}

/// Before version 0.3: the certificate of the signer first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChainJson {
    pub(super) certificates: Vec<RawJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawJson {
    pub(super) raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyJson {
    pub(super) hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TimestampsJson {
    #[serde(default)]
    pub(super) rfc3161_timestamps: Vec<TimestampJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TimestampJson {
    pub(super) signed_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MessageJson {
    pub(super) message_digest: DigestJson,
    pub(super) signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DigestJson {
    pub(super) algorithm: String,
    pub(super) digest: String,
}

impl BundleJson {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BUNDLE_MAX {
            return Err(unfit("is larger than 32 MiB"));
        }
        let json: Self =
            serde_json::from_slice(bytes).map_err(|source| ErrorKind::Json { what: WHAT, source })?;
        let Some(version) = media_type::bundle_version(&json.media_type) else {
            return Err(unfit("is of another version than 0.1, 0.2 and 0.3"));
        };
        if version >= CERTIFICATE_ALONE && json.verification_material.x509_certificate_chain.is_some() {
            return Err(unfit("holds a chain of certificates, which version 0.3 does not have"));
        }
        Ok(json)
    }
}

pub(super) fn unfit(why: &str) -> Error {
    Error::unfit(WHAT, why)
}
