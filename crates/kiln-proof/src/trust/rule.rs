use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use kiln_attest::predicate;
use kiln_finding::Failure;
use kiln_trust::{Identity, Matcher, NamePattern};
use serde::{Deserialize, Serialize};

use super::full_name::completed;
use super::identity::{claim, matcher};

/// `[[trust.rule]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    /// Names of images, without tag and digest; `*` and `**` may stand in them.
    pub(super) images: Vec<String>,
    /// Public keys, any of which may have signed.
    #[serde(default)]
    pub(super) keys: Vec<PathBuf>,
    /// Identities in certificates, any of which may have signed.
    #[serde(default)]
    pub(super) identities: Vec<Who>,
    /// What must be signed, as `kiln verify --require` takes it.
    #[serde(default = "signature")]
    pub(super) require: Vec<String>,
}

/// Who may sign with a certificate. `issuer` and `subject` are both needed, each as it is or as a pattern.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Who {
    issuer: Option<String>,
    issuer_pattern: Option<String>,
    subject: Option<String>,
    subject_pattern: Option<String>,
    /// What else the certificate must say, by the name of the claim.
    claims: BTreeMap<String, String>,
    /// How many different logs must have the signature.
    pub(super) logs: Option<NonZeroUsize>,
    /// A private authority may have no log of certificates, or of signatures.
    pub(super) ignore_sct: bool,
    pub(super) ignore_tlog: bool,
}

fn signature() -> Vec<String> {
    vec!["signature".to_owned()]
}

impl Rule {
    /// How much it says of images of this name, in full: that of its pattern which says most. `None` where it is not about them.
    pub(crate) fn about(&self, name: &str) -> Result<Option<(bool, usize)>, Failure> {
        let names = self.names()?;
        let matching = names.iter().filter(|pattern| pattern.is_match(name));
        Ok(matching.map(NamePattern::specificity).max())
    }

    fn names(&self) -> Result<Vec<NamePattern>, Failure> {
        let mut names = Vec::new();
        for text in &self.images {
            let all = completed(text).map_err(|why| never_matches(text, why))?;
            for one in all {
                names.push(NamePattern::parse(&one)?);
            }
        }
        Ok(names)
    }
}

impl Who {
    pub(super) fn identity(&self) -> Result<Identity, Failure> {
        if self.logs.is_some() && self.ignore_tlog {
            return Err(unfit(&[], "an identity has logs and ignore-tlog"));
        }
        let both =
            |exact: &Option<String>, pattern: &Option<String>, what: &str| -> Result<Matcher, Failure> {
                if exact.is_some() && pattern.is_some() {
                    return Err(unfit(&[], &format!("an identity has {what} and {what}-pattern")));
                }
                matcher(exact.as_deref(), pattern.as_deref())?
                    .ok_or_else(|| unfit(&[], &format!("an identity has no {what}")))
            };
        let claims: Result<_, Failure> =
            self.claims.iter().map(|(name, value)| claim(&format!("{name}={value}"))).collect();
        Ok(Identity {
            issuer: both(&self.issuer, &self.issuer_pattern, "issuer")?,
            subject: both(&self.subject, &self.subject_pattern, "subject")?,
            claims: claims?,
        })
    }
}

fn never_matches(pattern: &str, why: &str) -> Failure {
    let what = format!("use the pattern `{pattern}` of a rule of [trust]: {why}");
    Failure::new("kiln.trust", kiln_finding::Class::Config, what)
        .with_help("a rule that no name can match would ask nothing of any image")
}

pub(super) fn unfit(images: &[String], why: &str) -> Failure {
    let which = if images.is_empty() { String::new() } else { format!(" for {}", images.join(", ")) };
    Failure::new("kiln.trust", kiln_finding::Class::Config, format!("use a rule of [trust]{which}: {why}"))
        .with_help(format!(
            "a rule has images, and keys = [FILE] or identities = [{{ issuer = …, subject = … }}]; what it requires is a \
             statement of a type ({}, …)",
            kiln_attest::predicate::short_name(predicate::SIGNATURE),
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let rule: Rule = toml::from_str(text).unwrap();
        let who = rule.identities[0].identity().unwrap_err();
        assert!(who.what.contains(why), "{who:?}");
    }

    #[test]
    fn half_an_identity_is_refused() {
        refused("images = ['a']\nidentities = [{ subject = 'x' }]", "has no issuer");
        refused("images = ['a']\nidentities = [{ issuer = 'x' }]", "has no subject");
        refused(
            "images = ['a']\nidentities = [{ issuer = 'x', issuer-pattern = 'y', subject = 'z' }]",
            "issuer and issuer-pattern",
        );
        refused(
            "images = ['a']\nidentities = [{ subject = 'x', issuer = 'y', logs = 2, ignore-tlog = true }]",
            "logs and ignore-tlog",
        );
        toml::from_str::<Rule>("images = ['a']\nidentities = [{ issuerRegExp = 'x' }]").unwrap_err();
    }
}
