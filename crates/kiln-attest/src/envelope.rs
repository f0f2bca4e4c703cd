use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::{ErrorKind, decode};
use crate::size::BUNDLE_MAX;

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A DSSE envelope with the one signature it has. Source: DSSE specification v1.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The signed statement, as bytes.
    pub payload: Vec<u8>,
    /// The signature over [`pae`], as bytes.
    pub signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    sig: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
}

/// The bytes that a signature of an in-toto payload is over: DSSE's pre-authentication encoding.
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// Reads an envelope that stands alone, as older cosign attaches it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BUNDLE_MAX {
            return Err(Error::unfit("DSSE envelope", "is larger than 32 MiB"));
        }
        let json = serde_json::from_slice(bytes)
            .map_err(|source| ErrorKind::Json { what: "DSSE envelope", source })?;
        Self::from_json(json)
    }

    /// The JSON of an envelope that stands alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.json()).expect("an envelope holds only strings")
    }

    pub(crate) fn json(&self) -> EnvelopeJson {
        EnvelopeJson {
            payload: BASE64.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![SignatureJson { sig: BASE64.encode(&self.signature), keyid: String::new() }],
        }
    }

    pub(crate) fn from_json(json: EnvelopeJson) -> Result<Self, Error> {
        if json.payload_type != PAYLOAD_TYPE {
            return Err(Error::unfit("DSSE envelope", "holds no in-toto statement"));
        }
        let [signature] = &json.signatures[..] else {
            return Err(Error::unfit("DSSE envelope", "must have exactly one signature"));
        };
        Ok(Self {
            payload: decode("DSSE payload", &json.payload)?,
            signature: decode("signature", &signature.sig)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_bytes_are_those_of_the_specification() {
        assert_eq!(pae(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }
}
