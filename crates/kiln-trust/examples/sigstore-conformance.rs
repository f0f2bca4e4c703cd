//! The client that the sigstore-conformance suite asks for: it signs and verifies files as that suite's command line says.
//! Source: sigstore-conformance, `docs/cli_protocol.md`. CONTRIBUTING.md says how to run the suite.
//!
//! Signing is kiln-sign's, one rank above: an example is a program of its own, and no part of this crate.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kiln_fetch::{Exchange, ExchangeOptions};
use kiln_oci::Digest;
use kiln_sign::{Services, Signer, Token, Witnesses};
use kiln_trust::{
    Artifact, Authority, Certified, Identity, LoggedKey, Matcher, PublicKey, TrustRoot, verify_blob,
};
use sigstore_verify::trust_root::{
    SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_SIGNING_CONFIG,
    SIGSTORE_STAGING_TRUSTED_ROOT,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Flags that take no value.
const SWITCHES: [&str; 2] = ["--staging", "--in-toto"];
const VALUES: [&str; 7] = [
    "--bundle",
    "--certificate-identity",
    "--certificate-oidc-issuer",
    "--identity-token",
    "--key",
    "--signing-config",
    "--trusted-root",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "{}", told(&*error)));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes.
fn told(error: &dyn Error) -> String {
    let cause = error.source().map(|source| format!(": {}", told(source))).unwrap_or_default();
    format!("{error}{cause}")
}

fn run() -> Fallible<()> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let arguments = Arguments::read(words)?;
    match command.as_str() {
        "sign-bundle" => sign(&arguments),
        "verify-bundle" => verify(&arguments),
        _ => Err("name sign-bundle or verify-bundle".into()),
    }
}

/// What the suite asks for.
struct Arguments {
    flags: BTreeMap<String, String>,
    /// The file, or its digest.
    subject: String,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Fallible<Self> {
        let (mut flags, mut subject) = (BTreeMap::new(), None);
        while let Some(word) = words.next() {
            let value = match word.as_str() {
                flag if SWITCHES.contains(&flag) => String::new(),
                flag if VALUES.contains(&flag) => words.next().ok_or(format!("{flag} lacks its value"))?,
                flag if flag.starts_with("--") => return Err(format!("{flag} is not known").into()),
                _ if subject.is_none() => {
                    subject = Some(word);
                    continue;
                }
                _ => return Err("more than one file is named".into()),
            };
            if flags.insert(word.clone(), value).is_some() {
                return Err(format!("{word} is given twice").into());
            }
        }
        Ok(Self { flags, subject: subject.ok_or("no file is named")? })
    }

    fn get(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag).map(String::as_str)
    }

    fn needs(&self, flag: &str) -> Fallible<&str> {
        self.get(flag).ok_or_else(|| format!("{flag} is missing").into())
    }

    /// The file that a flag names, or what the public instance or its staging one had when the library was made.
    fn file(&self, flag: &str, public: &str, staging: &str) -> Fallible<String> {
        Ok(match self.get(flag) {
            Some(path) => fs::read_to_string(path)?,
            None if self.get("--staging").is_some() => staging.to_owned(),
            None => public.to_owned(),
        })
    }

    fn root(&self) -> Fallible<Arc<TrustRoot>> {
        let json =
            self.file("--trusted-root", SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT)?;
        Ok(TrustRoot::read(&json)?.into())
    }

    /// Who must have signed. What the root knows of is asked for: logs of certificates, and of signatures.
    fn authority(&self) -> Fallible<Authority> {
        let root = self.root()?;
        let identity = ["--certificate-identity", "--certificate-oidc-issuer"].map(|flag| self.get(flag));
        if let Some(path) = self.get("--key") {
            if identity.iter().any(Option::is_some) {
                return Err("a key has no identity".into());
            }
            let key = PublicKey::read(&fs::read_to_string(path)?)?;
            return Ok(Authority::LoggedKey(Box::new(LoggedKey { key, root })));
        }
        let subject = Matcher::exact(self.needs("--certificate-identity")?)?;
        let issuer = Matcher::exact(self.needs("--certificate-oidc-issuer")?)?;
        let (needs_certificate_log, logs) = (root.has_certificate_logs(), usize::from(root.has_logs()));
        let identity = Identity { issuer, subject, claims: Vec::new() };
        Ok(Authority::Certificate(Box::new(Certified { root, identity, needs_certificate_log, logs })))
    }
}

fn verify(arguments: &Arguments) -> Fallible<()> {
    let bundle = fs::read(arguments.needs("--bundle")?)?;
    let authority = arguments.authority()?;
    let subject = &arguments.subject;
    let digest = subject.parse::<Digest>().ok().filter(|_| !Path::new(subject).exists());
    match digest {
        Some(digest) => verify_blob(&bundle, &authority, Artifact::Sha256(digest))?,
        None => verify_blob(&bundle, &authority, Artifact::Bytes(&fs::read(subject)?))?,
    };
    Ok(())
}

fn sign(arguments: &Arguments) -> Fallible<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let config = arguments.file(
        "--signing-config",
        SIGSTORE_PRODUCTION_SIGNING_CONFIG,
        SIGSTORE_STAGING_SIGNING_CONFIG,
    )?;
    let witnesses = Witnesses {
        transport: Box::new(Exchange::new(ExchangeOptions::default())?),
        services: Services::read(&config, now)?,
        root: Some(arguments.root()?),
    };
    let token = Token::read(arguments.needs("--identity-token")?)?.valid_at(now)?;
    let signer = Signer::certified(&token, witnesses)?;
    let file = fs::read(&arguments.subject)?;
    let is_statement = arguments.get("--in-toto").is_some();
    let bundle = if is_statement { signer.sign_payload(&file)? } else { signer.sign_file(&file)? };
    fs::write(arguments.needs("--bundle")?, bundle.to_bytes())?;
    Ok(())
}
