//! Transparency logs of both generations: what they are given, and whether what they took is that.

mod body;
mod first;
mod second;

use kiln_attest::{Content, LogEntry, Signer, pae};
use kiln_oci::Digest;
use kiln_trust::{PublicKey, check_inclusion};

use crate::Error;
use crate::services::authority;
use crate::transport::{Service, Transport, unfit};

/// An entry with its proof, with room for the largest statement inside.
const ANSWER_MAX: u64 = 48 << 20;

/// A transparency log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its address.
    pub url: String,
    /// Which generation it is of.
    pub generation: Generation,
}

/// Logs of different generations speak differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Says when it took an entry. Source: rekor, `openapi.yaml`.
    First,
    /// Does not say when. Source: rekor-tiles, `rekor_service.proto`.
    Second,
}

/// What is to be witnessed.
pub(crate) struct Signed<'a> {
    pub(crate) signer: &'a Signer,
    pub(crate) key: &'a PublicKey,
    pub(crate) content: &'a Content,
}

impl Signed<'_> {
    /// SHA-256 of the bytes that are signed.
    fn digest(&self) -> Vec<u8> {
        match self.content {
            Content::Envelope(envelope) => Digest::of(&pae(&envelope.payload)).as_bytes().to_vec(),
            Content::Message { digest, .. } => digest.clone(),
        }
    }

    /// The certificate or key as PEM.
    fn verifier_pem(&self) -> String {
        match self.signer {
            Signer::Certificate(der) => authority::to_pem(der),
            Signer::Key { .. } => self.key.to_pem(),
        }
    }

    /// The certificate or key as DER.
    fn verifier_der(&self) -> &[u8] {
        match self.signer {
            Signer::Certificate(der) => der,
            Signer::Key { .. } => self.key.spki(),
        }
    }
}

/// Writes a signature to a log, and yields its entry, which is about this signature and holds a proof that fits.
pub(crate) fn witness(transport: &dyn Transport, log: &Log, signed: &Signed<'_>) -> Result<LogEntry, Error> {
    let entry = match log.generation {
        Generation::First => first::add(transport, &log.url, signed)?,
        Generation::Second => second::add(transport, &log.url, signed)?,
    };
    body::check(&entry, signed)?;
    check_inclusion(&entry).map_err(|error| unfit(Service::Log, error.to_string()))?;
    if log.generation == Generation::First && (entry.promise.is_none() || entry.integrated_time.is_none()) {
        return Err(unfit(Service::Log, "it does not say when it took the entry"));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
