use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use kiln_attest::{Bundle, Content, Signer as Whose, Statement};
use kiln_oci::Digest;
use kiln_trust::{
    Artifact, Authority, Certificate, Certified, Identity, LoggedKey, Matcher, PublicKey, TrustRoot,
    verify_blob, verify_bundle,
};

use crate::error::ErrorKind;
use crate::services::{authority, log, timestamps};
use crate::transport::Transport;
use crate::{Error, KeyPair, Services, Token};

/// Who signs: a key that lasts, or one that was made a moment ago and that an authority vouches for.
///
/// Whatever it makes was looked at before it is handed out: log entries and timestamps are of this signature, and where
/// a trusted root is given, the bundle is verified as anyone would.
pub struct Signer {
    key: KeyPair,
    public: PublicKey,
    whose: Whose,
    says: Option<Certificate>,
    witnesses: Option<Witnesses>,
    proof: Authority,
    /// Whether `proof` asks for everything that a stranger would ask for.
    is_proven: bool,
}

/// Who is told of signatures.
pub struct Witnesses {
    /// How services are asked.
    pub transport: Box<dyn Transport>,
    /// Which.
    pub services: Services,
    /// Whom they are traced back to. Without it their answers are only held against what was asked.
    pub root: Option<Arc<TrustRoot>>,
}

impl Signer {
    /// Signs with a key, and tells nobody.
    pub fn with_key(key: KeyPair) -> Result<Self, Error> {
        let public = key.public()?;
        let (whose, proof) = (Whose::Key { hint: public.hint() }, public.clone().into());
        Ok(Self { key, public, whose, says: None, witnesses: None, proof, is_proven: true })
    }

    /// Signs with a key, and tells logs and timestamp authorities.
    pub fn witnessed(key: KeyPair, mut witnesses: Witnesses) -> Result<Self, Error> {
        let root = witnesses.root.take();
        let mut signer = Self::with_key(key)?;
        if !witnesses.services.logs.is_empty() {
            signer.is_proven = root.is_some();
            if let Some(root) = root {
                let key = signer.public.clone();
                signer.proof = Authority::LoggedKey(Box::new(LoggedKey { key, root }));
            }
        }
        signer.witnesses = Some(witnesses);
        Ok(signer)
    }

    /// Makes a key, and asks an authority to say that it belongs to whom the token is about.
    pub fn certified(token: &Token, mut witnesses: Witnesses) -> Result<Self, Error> {
        let services = &witnesses.services;
        let url = services.authority.as_deref().ok_or(ErrorKind::NoAuthority)?;
        services.can_certify()?;
        let key = KeyPair::generate()?;
        let certified = authority::certify(&*witnesses.transport, url, token, &key)?;
        let mut signer = Self::with_key(key)?;
        signer.is_proven = false;
        if let Some(root) = witnesses.root.take() {
            let logs = usize::from(!witnesses.services.logs.is_empty());
            signer.proof = proof(root, &certified.says, logs)?;
            signer.is_proven = true;
        }
        signer.whose = Whose::Certificate(certified.der);
        signer.says = Some(certified.says);
        signer.witnesses = Some(witnesses);
        Ok(signer)
    }

    /// Signs a statement about an image.
    pub fn sign(&self, statement: &Statement, image: &Digest) -> Result<Bundle, Error> {
        let bundle = self.complete(Content::Envelope(self.key.envelope(statement)?))?;
        if self.is_proven {
            let wanted = &statement.predicate_type;
            let result = verify_bundle(&bundle.to_bytes(), &self.proof, image, wanted);
            result.map_err(|source| ErrorKind::Unproven { source })?;
        }
        Ok(bundle)
    }

    /// Signs a statement about a file, byte for byte as somebody wrote it.
    pub fn sign_payload(&self, payload: &[u8]) -> Result<Bundle, Error> {
        let statement = Statement::read(payload).map_err(|source| ErrorKind::Statement { source })?;
        let subject = statement.subject.iter().find_map(|subject| subject.digest.get("sha256"));
        let digest = subject.and_then(|hex| Digest::from_hex(hex).ok()).ok_or(ErrorKind::Subject)?;
        let bundle = self.complete(Content::Envelope(self.key.envelope_of(payload.to_owned())?))?;
        if self.is_proven {
            let result = verify_blob(&bundle.to_bytes(), &self.proof, Artifact::Sha256(digest));
            result.map_err(|source| ErrorKind::Unproven { source })?;
        }
        Ok(bundle)
    }

    /// Signs a file.
    pub fn sign_file(&self, file: &[u8]) -> Result<Bundle, Error> {
        let (digest, signature) = (digest(&SHA256, file).as_ref().to_vec(), self.key.sign_bytes(file)?);
        let bundle = self.complete(Content::Message { digest, signature })?;
        if self.is_proven {
            let result = verify_blob(&bundle.to_bytes(), &self.proof, Artifact::Bytes(file));
            result.map_err(|source| ErrorKind::Unproven { source })?;
        }
        Ok(bundle)
    }

    /// Adds what others say of a signature.
    fn complete(&self, content: Content) -> Result<Bundle, Error> {
        let (mut log_entries, mut stamps) = (Vec::new(), Vec::new());
        if let Some(Witnesses { transport, services, .. }) = &self.witnesses {
            for url in &services.timestamps {
                stamps.push(timestamps::stamp(&**transport, url, content.signature())?);
            }
            let signed = log::Signed { signer: &self.whose, key: &self.public, content: &content };
            for log in &services.logs {
                log_entries.push(log::witness(&**transport, log, &signed)?);
            }
        }
        Ok(Bundle { signer: self.whose.clone(), content, log_entries, timestamps: stamps })
    }

    /// The key, for forms of signatures that have no witnesses.
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Whether others are told of signatures.
    pub fn has_witnesses(&self) -> bool {
        self.witnesses.is_some()
    }

    /// What the certificate says, where there is one.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.says.as_ref()
    }

    /// Whom to ask for to find what this signer has made, as far as that is known: without a trusted root nothing is
    /// known of certificates.
    pub fn authority(&self) -> Option<&Authority> {
        (self.is_proven || self.says.is_none()).then_some(&self.proof)
    }

    /// For people: who that is.
    pub fn describe(&self) -> String {
        match &self.says {
            Some(says) => format!("{} ({})", says.subject, says.issuer),
            None => format!("key {}", self.public.hint()),
        }
    }
}

/// Exactly whom the certificate names, by everything that the root knows.
fn proof(root: Arc<TrustRoot>, says: &Certificate, logs: usize) -> Result<Authority, Error> {
    let exact = |text: &str| Matcher::exact(text).map_err(|source| ErrorKind::Unproven { source });
    let identity =
        Identity { issuer: exact(&says.issuer)?, subject: exact(&says.subject)?, claims: Vec::new() };
    let needs_certificate_log = root.has_certificate_logs();
    Ok(Authority::Certificate(Box::new(Certified { root, identity, needs_certificate_log, logs })))
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.describe())
    }
}
