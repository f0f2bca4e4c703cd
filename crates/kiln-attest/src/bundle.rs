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
    certificate: Option<RawJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tlog_entries: Vec<EntryJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<TimestampsJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawJson {
    raw_bytes: String,
}

/// An entry of a log. Source: sigstore protobuf-specs, `sigstore_rekor.proto`. Numbers are texts in this form of JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntryJson {
    log_index: String,
    log_id: LogIdJson,
    kind_version: KindJson,
    #[serde(default)]
    integrated_time: Option<String>,
    #[serde(default)]
    inclusion_promise: Option<PromiseJson>,
    #[serde(default)]
    inclusion_proof: Option<ProofJson>,
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogIdJson {
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindJson {
    kind: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PromiseJson {
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofJson {
    /// Left out where it is 0.
    #[serde(default)]
    log_index: Option<String>,
    root_hash: String,
    tree_size: String,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: CheckpointJson,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointJson {
    envelope: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TimestampsJson {
    #[serde(default)]
    rfc3161_timestamps: Vec<TimestampJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TimestampJson {
    signed_timestamp: String,
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

impl BundleJson {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let unfit = |why: &str| Error::unfit("Sigstore bundle", why);
        if bytes.len() > BUNDLE_MAX {
            return Err(unfit("is larger than 32 MiB"));
        }
        let json: Self = serde_json::from_slice(bytes)
            .map_err(|source| ErrorKind::Json { what: "Sigstore bundle", source })?;
        if json.media_type != media_type::SIGSTORE_BUNDLE {
            return Err(unfit("is of another version than 0.3"));
        }
        Ok(json)
    }
}

impl Bundle {
    /// Reads a bundle made with a key. One made with a certificate is refused; see [`Bundle::read_certified`].
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let unfit = |why: &str| Error::unfit("Sigstore bundle", why);
        let json = BundleJson::read(bytes)?;
        let material = json.verification_material;
        let Some(key) = material.public_key else {
            return Err(unfit("was made with a certificate, not with a key"));
        };
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(unfit("names both a key and a certificate"));
        }
        Ok(Self { key_hint: key.hint, envelope: Envelope::from_json(json.dsse_envelope)? })
    }

    /// Reads a bundle made with a certificate as strictly as one made with a key, and yields what is signed. What stands
    /// beside it is left to whoever verifies it.
    pub fn read_certified(bytes: &[u8]) -> Result<Envelope, Error> {
        let unfit = |why: &str| Error::unfit("Sigstore bundle", why);
        let json = BundleJson::read(bytes)?;
        let material = json.verification_material;
        if material.public_key.is_some() || material.certificate.is_none() {
            return Err(unfit("names a key, or no certificate"));
        }
        if material.x509_certificate_chain.is_some() {
            return Err(unfit("holds a chain of certificates, which version 0.3 does not have"));
        }
        Envelope::from_json(json.dsse_envelope)
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
            dsse_envelope: self.envelope.json(),
        };
        serde_json::to_vec(&json).expect("a bundle holds only strings")
    }
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

    fn json(&self) -> EnvelopeJson {
        EnvelopeJson {
            payload: BASE64.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![SignatureJson { sig: BASE64.encode(&self.signature), keyid: String::new() }],
        }
    }

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
