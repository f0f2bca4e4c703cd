use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use kiln_attest::predicate;
use kiln_disk::disk_failure;
use kiln_finding::Failure;
use kiln_images::{Machine, daemon_name};
use kiln_oci::Reference;
use kiln_trust::{Authority, Certified, Identity, ImageRule, Matcher, NamePattern, Requirement};
use serde::{Deserialize, Serialize};

use super::identity::{claim, matcher};
use crate::keys::{key_below, read_public};
use crate::statements::predicate_type;

/// `[trust]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TrustSettings {
    /// Whom certificates are traced back to: a `trusted_root.json`.
    pub(crate) trusted_root: Option<PathBuf>,
    /// Days since it was last looked whether there are newer roots.
    pub(crate) max_root_age: Option<u64>,
    /// What becomes of images that no rule names.
    pub(crate) unmatched: Unmatched,
    /// Every rule that names an image must be met.
    pub(crate) rule: Vec<Rule>,
    /// The folder of kiln.toml, which files are named from.
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unmatched {
    /// Where there are rules, an image without one is not used.
    #[default]
    Refuse,
    Allow,
}

/// `[[trust.rule]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    /// Names of images, without tag and digest; `*` and `**` may stand in them.
    images: Vec<String>,
    /// Public keys, any of which may have signed.
    #[serde(default)]
    keys: Vec<PathBuf>,
    /// Identities in certificates, any of which may have signed.
    #[serde(default)]
    identities: Vec<Who>,
    /// What must be signed, as `kiln verify --require` takes it.
    #[serde(default = "signature")]
    require: Vec<String>,
}

/// Who may sign with a certificate. `issuer` and `subject` are both needed, each as it is or as a pattern.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Who {
    issuer: Option<String>,
    issuer_pattern: Option<String>,
    subject: Option<String>,
    subject_pattern: Option<String>,
    /// What else the certificate must say, by the name of the claim.
    claims: BTreeMap<String, String>,
    /// How many different logs must have the signature.
    logs: Option<NonZeroUsize>,
    /// A private authority may have no log of certificates, or of signatures.
    ignore_sct: bool,
    ignore_tlog: bool,
}

fn signature() -> Vec<String> {
    vec!["signature".to_owned()]
}

impl TrustSettings {
    /// The file with roots that kiln.toml names.
    pub(crate) fn root_file(&self) -> Option<PathBuf> {
        self.trusted_root.as_ref().map(|path| self.folder.join(path))
    }
}

impl Rule {
    /// Whether it is about images of this name, in full.
    pub(crate) fn is_about(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.names()?.iter().any(|pattern| pattern.is_match(name)))
    }

    fn names(&self) -> Result<Vec<NamePattern>, Failure> {
        self.images.iter().map(|text| Ok(NamePattern::parse(&completed(text))?)).collect()
    }

    /// Everything that its verdict depends on besides the image: the files that it names, as they are now.
    pub(crate) fn inputs(&self, machine: &Machine, settings: &TrustSettings) -> Result<Vec<u8>, Failure> {
        let mut inputs = serde_json::to_vec(self).expect("a rule is texts and lists");
        let root = settings.root_file().unwrap_or_else(|| super::roots::path(machine));
        let root = (!self.identities.is_empty()).then_some(root).filter(|path| path.exists());
        for key in &self.keys {
            inputs.extend(read_public(&key_below(&settings.folder, key))?.spki());
        }
        if let Some(path) = root {
            let bytes = std::fs::read(&path).map_err(|error| disk_failure("read", &path, &error))?;
            inputs.extend(kiln_oci::Digest::of(&bytes).as_bytes());
        }
        Ok(inputs)
    }

    /// The rule with its keys and roots.
    pub(crate) fn open(&self, machine: &Machine, settings: &TrustSettings) -> Result<ImageRule, Failure> {
        let mut authorities = Vec::new();
        for key in &self.keys {
            authorities.push(Authority::from(read_public(&key_below(&settings.folder, key))?));
        }
        let identities: Vec<Identity> =
            self.identities.iter().map(Who::identity).collect::<Result<_, _>>()?;
        if !identities.is_empty() {
            let root = Arc::new(super::root(machine, settings, None)?);
            for (who, identity) in self.identities.iter().zip(identities) {
                let certified = Certified {
                    root: Arc::clone(&root),
                    identity,
                    needs_certificate_log: !who.ignore_sct,
                    logs: if who.ignore_tlog { 0 } else { who.logs.map_or(1, NonZeroUsize::get) },
                };
                authorities.push(Authority::Certificate(Box::new(certified)));
            }
        }
        if authorities.is_empty() {
            return Err(unfit(&self.images, "it names neither keys nor identities"));
        }
        if self.require.is_empty() {
            return Err(unfit(&self.images, "it requires nothing"));
        }
        let required: Result<_, Failure> =
            self.require.iter().map(|name| Ok(Requirement::of(&predicate_type(name)?))).collect();
        Ok(ImageRule { authorities, required: required? })
    }
}

impl Who {
    fn identity(&self) -> Result<Identity, Failure> {
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

fn unfit(images: &[String], why: &str) -> Failure {
    let which = if images.is_empty() { String::new() } else { format!(" for {}", images.join(", ")) };
    Failure::new("kiln.trust", kiln_finding::Class::Config, format!("use a rule of [trust]{which}: {why}"))
        .with_help(format!(
            "a rule has images, and keys = [FILE] or identities = [{{ issuer = …, subject = … }}]; what it requires is a \
             statement of a type ({}, …)",
            kiln_attest::predicate::short_name(predicate::SIGNATURE),
        ))
}

/// The full name of an image that a Dockerfile names: without tag and digest, with the host that Docker would ask. A place
/// on this machine, such as `oci:DIR:TAG`, is its own name; `registry:` only says where to look.
pub(crate) fn full_name(text: &str) -> String {
    let text = text.strip_prefix("registry:").unwrap_or(text);
    if !is_place(text)
        && let Ok(reference) = text.parse::<Reference>()
    {
        return reference.completed();
    }
    match text.rsplit_once(':') {
        Some((place, tag)) if place.contains(':') && !tag.contains('/') => place.to_owned(),
        _ => text.to_owned(),
    }
}

/// The same for a pattern, which has a host if its first part can be one.
fn completed(pattern: &str) -> String {
    let first = pattern.split('/').next().unwrap_or_default();
    let can_be_host = first.contains(['.', ':', '*']) || first == "localhost";
    match (can_be_host, pattern.contains('/')) {
        _ if is_place(pattern) || pattern == "**" => pattern.to_owned(),
        (true, true) => pattern.to_owned(),
        (false, true) => format!("docker.io/{pattern}"),
        (_, false) => format!("docker.io/library/{pattern}"),
    }
}

fn is_place(text: &str) -> bool {
    ["oci:", "oci-archive:", "docker-archive:"].iter().any(|prefix| text.starts_with(prefix))
        || daemon_name(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_are_completed_alike() {
        for (pattern, name, is_same) in [
            ("node", "node:24-slim", true),
            (
                "node",
                "docker.io/library/node@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                true,
            ),
            ("team/*", "team/app", true),
            ("team/*", "registry.example.invalid/team/app", false),
            ("registry.example.invalid/**", "registry.example.invalid/a/b:1", true),
            ("**", "oci:bases/node:24", true),
            ("oci:bases/node", "oci:bases/node:24", true),
            ("docker", "docker:cli", false),
            ("r.example.invalid/**", "registry:r.example.invalid/a:1", true),
            ("localhost:5000/*", "localhost:5000/app", true),
        ] {
            let pattern = NamePattern::parse(&completed(pattern)).unwrap();
            assert_eq!(pattern.is_match(&full_name(name)), is_same, "{pattern:?} {name}");
        }
    }

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
        toml::from_str::<Rule>("images = ['a']\nidentities = [{ issuerRegExp = 'x' }]").unwrap_err();
    }
}
