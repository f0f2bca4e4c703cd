use std::collections::BTreeMap;

use jiff::Timestamp;
use pgp::composed::{CleartextSignedMessage, Deserializable as _, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails as _, Tag, VerifyingKey};

use crate::deb822;
use crate::error::{Error, ErrorKind};
use kiln_text::Checksum;

/// How far ahead of this machine's clock a release may be dated, in seconds.
const CLOCK_SLACK: i64 = 24 * 3600;

/// What a verified `InRelease` says.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) codename: String,
    /// RFC 3339.
    pub(crate) date: String,
    pub(crate) by_hash: bool,
    files: BTreeMap<String, (Checksum, u64)>,
}

impl Release {
    /// Verifies the signature by one of `keys`, then that it is of Debian's `suite`, and valid at `now`.
    pub(crate) fn read(suite: &str, bytes: &[u8], keys: &[&str], now: Timestamp) -> Result<Self, Error> {
        let text = verify(suite, bytes, keys, now)?;
        let stanza = deb822::stanzas(&text).next().unwrap_or_default();
        let wrong = |why: String| -> Error { ErrorKind::Release { suite: suite.to_owned(), why }.into() };
        let field = |name: &str| stanza.get(name).ok_or_else(|| wrong(format!("it has no field {name}")));
        if field("Origin")? != "Debian" {
            return Err(wrong("its origin is not Debian".to_owned()));
        }
        let codename = field("Codename")?.to_owned();
        if codename != suite {
            return Err(wrong(format!("it is of {codename}")));
        }
        let date = field("Date")?;
        let written = parse_date(date).ok_or_else(|| wrong(format!("`{date}` is no date")))?;
        if written.as_second() > now.as_second() + CLOCK_SLACK {
            let (date, now) = (written.to_string(), now.to_string());
            return Err(ErrorKind::FromTheFuture { suite: suite.to_owned(), date, now }.into());
        }
        if let Some(until) = stanza.get("Valid-Until") {
            let end = parse_date(until).ok_or_else(|| wrong(format!("`{until}` is no date")))?;
            if end < now {
                let (until, now) = (end.to_string(), now.to_string());
                return Err(ErrorKind::Expired { suite: suite.to_owned(), until, now }.into());
            }
        }
        let files = parse_files(field("SHA256")?);
        let by_hash = stanza.get("Acquire-By-Hash") == Some("yes");
        Ok(Self { codename, date: written.to_string(), by_hash, files })
    }

    /// The checksum and size of a file, by its path below the suite.
    pub(crate) fn file(&self, path: &str) -> Result<(Checksum, u64), Error> {
        self.files.get(path).copied().ok_or_else(|| {
            ErrorKind::Release { suite: self.codename.clone(), why: format!("it does not list {path}") }
                .into()
        })
    }
}

fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT"))?;
    jiff::fmt::rfc2822::parse(&format!("{text}+0000")).ok().map(|zoned| zoned.timestamp())
}

fn parse_files(field: &str) -> BTreeMap<String, (Checksum, u64)> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let integrity = Checksum::from_hex("sha256", words.next()?)?;
        let size = words.next()?.parse().ok()?;
        Some((words.next()?.to_owned(), (integrity, size)))
    };
    field.lines().filter_map(line).collect()
}

/// The signed text, if one of `keys` has signed it.
fn verify(suite: &str, bytes: &[u8], keys: &[&str], now: Timestamp) -> Result<String, Error> {
    let refuse = |why: String| -> Error { ErrorKind::Signature { suite: suite.to_owned(), why }.into() };
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not text".to_owned()))?;
    let (message, _) = CleartextSignedMessage::from_string(text)
        .map_err(|error| refuse(format!("it is not a signed message ({error})")))?;
    let signed = message.signed_text();
    for armoured in keys {
        let (key, _) = SignedPublicKey::from_string(armoured)
            .map_err(|error| refuse(format!("a key of kiln's cannot be read ({error})")))?;
        if key_signed(&key, message.signatures(), &signed, now) {
            return Ok(signed.replace("\r\n", "\n"));
        }
    }
    Err(refuse("no archive key of Debian's that kiln knows has signed it".to_owned()))
}

fn key_signed(key: &SignedPublicKey, signatures: &[Signature], text: &str, now: Timestamp) -> bool {
    let about = own_signatures(key);
    let unusable = about.is_empty() || !key.details.revocation_signatures.is_empty();
    if unusable || expired(key.primary_key.created_at().as_secs(), &about, now) {
        return false;
    }
    if signed_by(&key.primary_key, signatures, text, now) {
        return true;
    }
    key.public_subkeys.iter().any(|subkey| {
        let bindings: Vec<&Signature> = subkey.signatures.iter().collect();
        subkey.verify_bindings(&key.primary_key).is_ok()
            && bindings.iter().any(|signature| signature.key_flags().sign())
            && bindings.iter().all(|signature| signature.typ() == Some(SignatureType::SubkeyBinding))
            && !expired(subkey.key.created_at().as_secs(), &bindings, now)
            && signed_by(&subkey.key, signatures, text, now)
    })
}

/// What the key says of itself. What others say of it, which keys of Debian's carry too, does not count.
fn own_signatures(key: &SignedPublicKey) -> Vec<&Signature> {
    let primary = &key.primary_key;
    let of_users = key.details.users.iter().flat_map(|user| {
        user.signatures
            .iter()
            .filter(|signature| signature.verify_certification(primary, Tag::UserId, &user.id).is_ok())
    });
    let direct = key.details.direct_signatures.iter();
    of_users.chain(direct.filter(|signature| signature.verify_key(primary).is_ok())).collect()
}

/// By the newest signature about the key that gives it an end; those that name a revoker, say, give none.
fn expired(created: u32, about: &[&Signature], now: Timestamp) -> bool {
    let newest = about
        .iter()
        .filter(|signature| signature.key_expiration_time().is_some())
        .max_by_key(|signature| signature.created().map(pgp::types::Timestamp::as_secs));
    let lifetime =
        newest.and_then(|signature| signature.key_expiration_time()).map_or(0, pgp::types::Duration::as_secs);
    lifetime != 0 && i64::from(created) + i64::from(lifetime) < now.as_second()
}

fn signed_by(key: &impl VerifyingKey, signatures: &[Signature], text: &str, now: Timestamp) -> bool {
    signatures.iter().any(|signature| {
        let strong = matches!(
            signature.hash_alg(),
            Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
        );
        let of_text = matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary));
        let made = signature.created().map_or(i64::MAX, |time| i64::from(time.as_secs()));
        strong
            && of_text
            && made <= now.as_second() + CLOCK_SLACK
            && signature.verify(key, text.as_bytes()).is_ok()
    })
}

#[cfg(test)]
mod tests;
