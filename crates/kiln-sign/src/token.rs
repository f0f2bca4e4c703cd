use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kiln_fetch::Redacted;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Error;
use crate::error::ErrorKind;

/// The largest token that is taken, in bytes.
pub const TOKEN_MAX: usize = 64 << 10;

/// An identity token: who somebody is, by the word of an issuer. Whether that is so, the certificate authority checks.
/// Source: OpenID Connect Core 1.0, ID Token; RFC 7519.
#[derive(Clone, Debug)]
pub struct Token {
    text: Redacted<String>,
    claims: Claims,
}

#[derive(Clone, Debug, Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: Value,
    #[serde(default)]
    aud: Value,
    exp: Value,
    #[serde(default)]
    nonce: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Claims that CI systems name the workflow by, and certificates end their subject with.
/// Source: fulcio, `config/identity/config.yaml`.
const WORKFLOWS: [&str; 2] = ["job_workflow_ref", "ci_config_ref_uri"];

impl Token {
    /// Reads a token.
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let fail = |why: &str| Error::from(ErrorKind::Token(why.to_owned()));
        if text.len() > TOKEN_MAX {
            return Err(fail("it is larger than 64 KiB"));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [_, payload, _] = parts[..] else { return Err(fail("it is no JSON Web Token")) };
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('='));
        let payload = payload.map_err(|_| fail("it is no JSON Web Token"))?;
        // What the parser says could hold parts of the token.
        let claims: Claims = serde_json::from_slice(&payload)
            .map_err(|_| fail("it does not say by whom, about whom, and until when"))?;
        let token = Self { text: Redacted::new(text.to_owned()), claims };
        if token.claims.iss.is_empty() || token.subject().is_empty() {
            return Err(fail("it does not say by whom, about whom, and until when"));
        }
        let is_verified = token.claims.email_verified == true || token.claims.email_verified == "true";
        if !token.claims.email.is_empty() && !is_verified {
            return Err(fail("its issuer has not verified the email address in it"));
        }
        Ok(token)
    }

    /// Refuses a token that is over. `now` is in seconds since 1970.
    pub fn valid_at(self, now: i64) -> Result<Self, Error> {
        let until = self.claims.exp.as_i64().or_else(|| self.claims.exp.as_f64().map(|exp| exp as i64));
        match until {
            Some(until) if until > now => Ok(self),
            Some(_) => Err(ErrorKind::Expired.into()),
            None => Err(ErrorKind::Token("it does not say until when it is good".to_owned()).into()),
        }
    }

    /// Who vouches for it.
    pub fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// Whom it is about, as certificate authorities challenge it: the email address, where there is one.
    pub fn subject(&self) -> &str {
        if self.claims.email.is_empty() { &self.claims.sub } else { &self.claims.email }
    }

    /// The token itself.
    pub(crate) fn secret(&self) -> &Redacted<String> {
        &self.text
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.claims.nonce
    }

    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match &self.claims.aud {
            Value::String(text) => text == audience,
            Value::Array(list) => list.iter().any(|entry| entry == audience),
            _ => false,
        }
    }

    /// Whether a certificate about `subject` can be what this token asks for. Of workflows authorities name the file
    /// that ran, in a form of their own; of the rest nothing is known here.
    pub(crate) fn can_name(&self, subject: &str) -> bool {
        if !self.claims.email.is_empty() {
            return subject == self.claims.email;
        }
        let workflow = WORKFLOWS.iter().find_map(|claim| self.claims.others.get(*claim)?.as_str());
        workflow.is_none_or(|workflow| subject.ends_with(workflow))
    }
}

#[cfg(test)]
mod tests {
    use kiln_finding::Diagnose;
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> Result<Token, Error> {
        Token::read(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    fn of(extra: Value) -> Result<Token, Error> {
        let mut claims = json!({ "iss": "https://issuer.invalid", "sub": "me", "exp": 100 });
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        token(&claims)
    }

    #[test]
    fn the_subject_is_the_email_address_that_was_verified() {
        assert_eq!(of(json!({})).unwrap().subject(), "me");
        let mail = of(json!({ "email": "a@b.invalid", "email_verified": true })).unwrap();
        assert_eq!((mail.subject(), mail.issuer()), ("a@b.invalid", "https://issuer.invalid"));
        assert!(of(json!({ "email": "a@b.invalid", "email_verified": "true" })).is_ok());
        for unverified in
            [json!({ "email": "a@b.invalid" }), json!({ "email": "a@b.invalid", "email_verified": false })]
        {
            assert_eq!(of(unverified).unwrap_err().code(), "sign.token");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_never_shown() {
        for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "a.e30.c", &"x".repeat(TOKEN_MAX + 1)] {
            assert_eq!(Token::read(text).unwrap_err().code(), "sign.token", "{text:.20}");
        }
        assert!(token(&json!({ "iss": "", "sub": "me", "exp": 1 })).is_err());
        assert!(token(&json!({ "iss": "x", "exp": 1 })).is_err());
        assert!(!format!("{:?}", of(json!({})).unwrap()).contains("c2ln"));
    }

    #[test]
    fn a_token_has_an_end() {
        assert!(of(json!({})).unwrap().valid_at(99).is_ok());
        assert_eq!(of(json!({})).unwrap().valid_at(100).unwrap_err().code(), "sign.token_expired");
        assert!(of(json!({ "exp": 100.5 })).unwrap().valid_at(99).is_ok());
        assert!(of(json!({ "exp": "soon" })).unwrap().valid_at(99).is_err());
    }

    #[test]
    fn a_certificate_is_about_whom_the_token_is_about() {
        let mail = of(json!({ "email": "a@b.invalid", "email_verified": true })).unwrap();
        assert!(mail.can_name("a@b.invalid") && !mail.can_name("c@b.invalid"));
        let workflow = of(json!({ "job_workflow_ref": "org/app/.github/x.yml@refs/heads/main" })).unwrap();
        assert!(workflow.can_name("https://example.invalid/org/app/.github/x.yml@refs/heads/main"));
        assert!(!workflow.can_name("https://example.invalid/org/app/.github/y.yml@refs/heads/main"));
        assert!(of(json!({})).unwrap().can_name("spiffe://whoever"));
    }
}
