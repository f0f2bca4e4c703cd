use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_oci::media_type;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::error::ErrorKind;

/// The largest bundle that is read, in bytes.
pub const BUNDLE_MAX: usize = 32 << 20;
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A DSSE envelope with the one signature it has. Source: DSSE specification v1.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The signed statement, as bytes.
    pub payload: Vec<u8>,
    /// The signature over [`pae`], as bytes.
    pub signature: Vec<u8>,
}

/// A Sigstore bundle, version 0.3, made with a key that its reader has.
/// Source: sigstore protobuf-specs, `sigstore_bundle.proto`, in its JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Tells which key: base64 of the SHA-256 of its SPKI. A hint only.
    pub key_hint: String,
    /// What is signed.
    pub envelope: Envelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BundleJson {
    media_type: String,
    verification_material: MaterialJson,
    dsse_envelope: EnvelopeJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MaterialJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tlog_entries: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvelopeJson {
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

impl Bundle {
    /// Reads a bundle made with a key. One made with a certificate is refused: kiln cannot verify those yet.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let unfit = |why: &str| Error::unfit("Sigstore bundle", why);
        if bytes.len() > BUNDLE_MAX {
            return Err(unfit("is larger than 32 MiB"));
        }
        let json: BundleJson = serde_json::from_slice(bytes)
            .map_err(|source| ErrorKind::Json { what: "Sigstore bundle", source })?;
        if json.media_type != media_type::SIGSTORE_BUNDLE {
            return Err(unfit("is of another version than 0.3"));
        }
        let material = json.verification_material;
        let Some(key) = material.public_key else {
            return Err(unfit("was made with a certificate, not with a key"));
        };
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(unfit("names both a key and a certificate"));
        }
        Ok(Self { key_hint: key.hint, envelope: Envelope::from_json(json.dsse_envelope)? })
    }

    /// The JSON that is stored beside the image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = BundleJson {
            media_type: media_type::SIGSTORE_BUNDLE.to_owned(),
            verification_material: MaterialJson {
                public_key: Some(KeyJson { hint: self.key_hint.clone() }),
                certificate: None,
                x509_certificate_chain: None,
                tlog_entries: Vec::new(),
                timestamp_verification_data: None,
            },
            dsse_envelope: EnvelopeJson {
                payload: BASE64.encode(&self.envelope.payload),
                payload_type: PAYLOAD_TYPE.to_owned(),
                signatures: vec![SignatureJson {
                    sig: BASE64.encode(&self.envelope.signature),
                    keyid: String::new(),
                }],
            },
        };
        serde_json::to_vec(&json).expect("a bundle holds only strings")
    }
}

impl Envelope {
    fn from_json(json: EnvelopeJson) -> Result<Self, Error> {
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

fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64.decode(text).map_err(|source| ErrorKind::Base64 { what, source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        Bundle {
            key_hint: "hint".to_owned(),
            envelope: Envelope { payload: b"{}".to_vec(), signature: vec![1, 2] },
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        assert_eq!(Bundle::read(&bundle().to_bytes()).unwrap(), bundle());
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_specification() {
        assert_eq!(pae(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }

    #[test]
    fn what_the_specification_forbids_is_refused() {
        let good = String::from_utf8(bundle().to_bytes()).unwrap();
        for (from, to) in [
            ("v0.3+json", "v0.1+json"),
            ("\"payloadType\"", "\"payload_type\""),
            ("application/vnd.in-toto+json", "text/plain"),
            ("\"signatures\":[", "\"signatures\":[{\"sig\":\"\"},"),
            ("{\"publicKey\"", "{\"extra\":1,\"publicKey\""),
            ("\"publicKey\":{\"hint\":\"hint\"}", "\"certificate\":{\"rawBytes\":\"\"}"),
            ("e30=", "e30"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(Bundle::read(bad.as_bytes()).is_err(), "{to}");
        }
    }
}
