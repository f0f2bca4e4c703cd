//! Keys in hardware modules, through OpenSC's `pkcs11-tool`: a static program cannot load the module's library itself.
//! Source: RFC 7512, the URIs of PKCS #11.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use kiln_program::Call;
use kiln_text::percent;
use kiln_trust::PublicKey;

use super::ask::ask;
use super::{HeldKey, unfit};
use crate::Error;
use crate::error::ErrorKind;

pub(super) const SCHEME: &str = "pkcs11:";
const TOOL: &str = "pkcs11-tool";
/// The variable that the tool reads the PIN from, so that nobody sees it among the arguments of processes.
const PIN: &str = "KILN_PKCS11_PIN";
/// What cosign reads.
const MODULE_VARIABLE: &str = "COSIGN_PKCS11_MODULE_PATH";
const PIN_VARIABLE: &str = "COSIGN_PKCS11_PIN";

/// A key in a token.
#[derive(Default)]
pub(super) struct Token {
    module: String,
    /// Arguments that say which token and which key.
    which: Vec<String>,
    pin: Option<String>,
}

impl Token {
    /// `pkcs11:token=NAME;object=KEY?module-path=LIBRARY&pin-source=FILE`. Module and PIN may be in the environment.
    pub(super) fn read(uri: &str) -> Result<Self, Error> {
        let rest = uri.strip_prefix(SCHEME).unwrap_or(uri);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let mut token = Self { pin: variable(PIN_VARIABLE), ..Self::default() };
        let mut module = variable(MODULE_VARIABLE);
        for (name, value) in path.split(';').chain(query.split('&')).filter(|part| !part.is_empty()).map(pair)
        {
            let value = decoded(value)?;
            match name {
                "token" => token.argument("--token-label", text(value)?),
                "object" => token.argument("--label", text(value)?),
                "id" => token.argument("--id", hex::encode(value)),
                "slot-id" => token.argument("--slot", text(value)?),
                "type" if value == b"private" => {}
                "module-path" => module = Some(text(value)?),
                "pin-value" => token.pin = Some(text(value)?),
                "pin-source" => token.pin = Some(pin_file(&text(value)?)?),
                // A part that is not understood may be what tells two keys apart.
                other => return Err(unfit(format!("`{other}` of the URI is not known here"))),
            }
        }
        token.module = module.ok_or_else(|| {
            unfit(format!(
                "nothing says which library reaches it: add ?module-path=… or set {MODULE_VARIABLE}"
            ))
        })?;
        if !token.which.iter().any(|argument| matches!(argument.as_str(), "--label" | "--id")) {
            return Err(unfit("the URI has neither object nor id, which say which key it is"));
        }
        Ok(token)
    }

    fn argument(&mut self, name: &str, value: String) {
        self.which.extend([name.to_owned(), value]);
    }

    fn ask(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut call = Call::new(TOOL).args(["--module", &self.module]).args(&self.which).args(arguments);
        if let Some(pin) = &self.pin {
            call = call.args(["--login", "--pin", &format!("env:{PIN}")]).env(PIN, pin);
        }
        let answer = ask(call, TOOL, input)?;
        if !answer.is_success() || answer.stdout.is_empty() {
            return Err(unfit(format!("{TOOL} could not do it; what it says stands above")));
        }
        Ok(answer.stdout)
    }
}

impl HeldKey for Token {
    fn public(&self) -> Result<PublicKey, Error> {
        let spki = self.ask(&["--read-object", "--type", "pubkey"], &[])?;
        PublicKey::from_spki(&spki).map_err(|source| ErrorKind::HeldPublic { source }.into())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self.public()?.kind() {
            "RSA" => self.ask(&["--sign", "--mechanism", "SHA256-RSA-PKCS"], message),
            // Not every module hashes for ECDSA itself.
            kind if kind.starts_with("ECDSA") => {
                let hash = digest(&SHA256, message);
                self.ask(&["--sign", "--mechanism", "ECDSA", "--signature-format", "openssl"], hash.as_ref())
            }
            kind => Err(unfit(format!("it is an {kind} key, and only ECDSA and RSA are used there"))),
        }
    }
}

fn pair(part: &str) -> (&str, &str) {
    part.split_once('=').unwrap_or((part, ""))
}

fn text(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| unfit("a part of the URI is no text"))
}

fn decoded(text: &str) -> Result<Vec<u8>, Error> {
    percent::decode(text).ok_or_else(|| unfit("a % of the URI is not followed by two digits"))
}

/// The largest file with a PIN, in bytes.
const PIN_MAX: u64 = 1 << 20;

/// `file:/path` or a path; what stands in its first line.
fn pin_file(source: &str) -> Result<String, Error> {
    let path = source.strip_prefix("file://").or_else(|| source.strip_prefix("file:")).unwrap_or(source);
    let text = kiln_disk::read_given_text(Path::new(path), PIN_MAX)
        .map_err(|source| ErrorKind::Program { program: format!("the PIN in {path}"), source })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_which_key_of_which_token() {
        let token = Token::read(
            "pkcs11:token=my%20token;id=%01%ff;type=private?module-path=/lib/x.so&pin-value=1234",
        );
        let token = token.unwrap();
        assert_eq!(token.which, ["--token-label", "my token", "--id", "01ff"]);
        assert_eq!((token.module.as_str(), token.pin.as_deref()), ("/lib/x.so", Some("1234")));
    }

    #[track_caller]
    fn refused(uri: &str, why: &str) {
        let error = Token::read(uri).err().unwrap();
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn a_uri_that_leaves_something_open_is_refused() {
        refused("pkcs11:token=a?module-path=/x", "neither object nor id");
        refused("pkcs11:token=a;object=b", "module-path");
        refused("pkcs11:token=a;object=b;serial=1?module-path=/x", "`serial` of the URI");
        refused("pkcs11:object=%zz?module-path=/x", "followed by two digits");
        refused("pkcs11:object=%e?module-path=/x", "followed by two digits");
        refused("pkcs11:object=%ff?module-path=/x", "no text");
        refused("pkcs11:object=a?module-path=/x&pin-source=file:/nowhere/pin", "the PIN in /nowhere/pin");
    }
}
