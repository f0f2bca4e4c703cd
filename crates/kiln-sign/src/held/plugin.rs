//! Keys that a program on the PATH reaches. Source: sigstore, `pkg/signature/kms/cliplugin`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_program::Call;
use kiln_trust::PublicKey;
use serde_json::{Value, json};

use super::ask::ask;
use super::{HeldKey, read_public, unfit};
use crate::Error;

const PROTOCOL: &str = "v1";
/// `crypto.SHA256` of Go.
const SHA256: u8 = 5;

/// The program for one key.
pub(super) struct Plugin {
    program: String,
    /// Its own variables, as a glob: those that begin with its name.
    variables: String,
    /// The whole URI, which is what the program knows the key by.
    key: String,
}

impl Plugin {
    /// `name` is what stands before `://`; it becomes the name of a program, and must be one.
    pub(super) fn named(name: &str, key: &str) -> Result<Self, Error> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+');
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(unfit(format!("`{name}` names no kind of key management service")));
        }
        let variables = format!("{}_*", name.to_uppercase().replace(['-', '.', '+'], "_"));
        Ok(Self { program: format!("sigstore-kms-{name}"), variables, key: key.to_owned() })
    }

    /// Calls a method, and yields `field` of what it answers. The exit status means nothing in this protocol.
    fn call(&self, method: &str, options: Value, message: &[u8], field: &str) -> Result<Vec<u8>, Error> {
        let arguments = json!({
            "initOptions": {
                "protocolVersion": PROTOCOL,
                "keyResourceID": self.key,
                "hashFunc": SHA256,
                "rpcOptions": {},
            },
            "methodName": method,
            method: options,
        });
        let call =
            Call::new(&self.program).args([PROTOCOL, &arguments.to_string()]).keeps(&[&self.variables]);
        let answer = ask(call, &self.program, message)?;
        let answer: Value = serde_json::from_slice(&answer.stdout)
            .map_err(|error| unfit(format!("{} does not answer in JSON: {error}", self.program)))?;
        if let Some(error) = answer["errorMessage"].as_str().filter(|error| !error.is_empty()) {
            let error: String = error.chars().filter(|char| !char.is_control()).take(500).collect();
            return Err(unfit(format!("{}: {error}", self.program)));
        }
        let bytes = answer[method][field].as_str().and_then(|text| BASE64.decode(text).ok());
        bytes
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| unfit(format!("{} answers {method} without {field}", self.program)))
    }
}

impl HeldKey for Plugin {
    fn public(&self) -> Result<PublicKey, Error> {
        let options = json!({ "publicKeyOptions": { "rpcOptions": {} } });
        read_public(&self.call("publicKey", options, &[], "publicKeyPEM")?)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let options = json!({ "signOptions": { "rpcOptions": {}, "messageOptions": {} } });
        self.call("signMessage", options, message, "signature")
    }
}
