//! Roots of trust as a TUF repository publishes them. Source: The Update Framework, specification 1.0.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use kiln_finding::Cause;
use serde::{Deserialize, Serialize};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{MetadataStore, Repository, Updater, UpdaterConfig};

use crate::error::ErrorKind;
use crate::{Error, TrustRoot};

/// The largest file of roots that is read, in bytes.
pub const PUBLISHED_MAX: u64 = 32 << 20;
/// The largest document that a repository may publish, in bytes.
const TARGET_MAX: u64 = 4 << 20;

/// What is looked for in a repository. Source: sigstore root-signing.
const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// Where a repository can be had.
pub trait Mirror: Send + Sync {
    /// The document at `path` below the mirror's address, at most `max` bytes of it; `None` where there is none.
    fn document(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Cause>;
}

/// Roots of trust with the proof that they were published: the signed metadata since the root that a person chose to trust.
/// One value, so that it can be kept, and carried to a machine without a network, as one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    mirror: String,
    /// The metadata that a person chose to trust, as it is.
    anchor: String,
    /// Everything that was proven since, by name.
    metadata: BTreeMap<String, String>,
    /// When it was last looked whether there is something newer; seconds since 1970.
    checked: i64,
    /// Until when what was published then is fresh by its own word; seconds since 1970.
    expires: i64,
}

impl Published {
    /// Nothing yet, but the root metadata that everything must follow from.
    pub fn begin(mirror: &str, anchor: &str) -> Self {
        let (mirror, anchor) = (mirror.to_owned(), anchor.to_owned());
        Self { mirror, anchor, metadata: BTreeMap::new(), checked: 0, expires: 0 }
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| ErrorKind::Published(error.to_string()).into())
    }

    /// As JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it is texts and numbers")
    }

    /// Whether it is about the same repository, and started from the same root.
    pub fn begins_like(&self, other: &Self) -> bool {
        self.mirror == other.mirror && self.anchor == other.anchor
    }

    /// The address of the mirror, as it was given.
    pub fn mirror(&self) -> &str {
        &self.mirror
    }

    /// When it was last looked for something newer; seconds since 1970.
    pub fn checked(&self) -> i64 {
        self.checked
    }

    /// Until when it is fresh by its own word; seconds since 1970.
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// The version of the root metadata.
    pub fn version(&self) -> u64 {
        let root = self.metadata.get("root.json").unwrap_or(&self.anchor);
        let root: serde_json::Value = serde_json::from_str(root).unwrap_or_default();
        root["signed"]["version"].as_u64().unwrap_or_default()
    }

    /// What is published now, proven from what was known before: what is older than that, was signed by too few, or has
    /// expired is an error, and so is a mirror that cannot be asked. `now` is in seconds since 1970.
    pub fn refresh(&self, mirror: Arc<dyn Mirror>, now: i64) -> Result<Self, Error> {
        let failed = |error: sigstore_tuf::Error| Error::from(ErrorKind::Refresh { source: Box::new(error) });
        let time = Timestamp::from_second(now).map_err(|error| ErrorKind::Published(error.to_string()))?;
        let kept = Kept(Arc::new(Mutex::new(self.metadata.clone())));
        let mut config = UpdaterConfig::default();
        config.target_max_length = TARGET_MAX;
        let mut updater = Updater::new(Asked(mirror), self.anchor.as_bytes())
            .map_err(failed)?
            .with_config(config)
            .with_store(kept.clone());
        at_once(updater.refresh(time))?.map_err(failed)?;
        at_once(updater.get_target(TRUSTED_ROOT, time))?.map_err(failed)?;
        // Not every instance says how to sign.
        match at_once(updater.get_target(SIGNING_CONFIG, time))? {
            Ok(_) | Err(sigstore_tuf::Error::TargetNotFound(_)) => {}
            Err(error) => return Err(failed(error)),
        }
        let expires = updater.trusted().timestamp().map_or(now, |timestamp| timestamp.expires.as_second());
        let metadata = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Self { metadata, checked: now, expires, ..self.clone() })
    }

    /// Whom to trace certificates back to.
    pub fn trusted_root(&self) -> Result<TrustRoot, Error> {
        let missing = || ErrorKind::Published("it holds no trusted root".to_owned());
        TrustRoot::read(self.target(TRUSTED_ROOT).ok_or_else(missing)?)
    }

    /// Where to sign: a signing config, if one is published.
    pub fn signing_config(&self) -> Option<&str> {
        self.target(SIGNING_CONFIG)
    }

    fn target(&self, name: &str) -> Option<&str> {
        self.metadata.get(&format!("targets/{name}")).map(String::as_str)
    }
}

/// What was proven, in memory.
#[derive(Clone)]
struct Kept(Arc<Mutex<BTreeMap<String, String>>>);

impl MetadataStore for Kept {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, sigstore_tuf::Error> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(name).map(|text| text.clone().into_bytes()))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), sigstore_tuf::Error> {
        let text = String::from_utf8(bytes.to_vec()).map_err(|error| {
            sigstore_tuf::Error::transport_with_source(format!("{name} is no text"), error)
        })?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), text);
        Ok(())
    }
}

/// A mirror, as the library wants one.
struct Asked(Arc<dyn Mirror>);

impl Asked {
    fn ask(&self, path: &str, max: u64) -> FetchFuture<'_> {
        let answer = self.0.document(path, max);
        let answer = answer
            .map_err(|cause| sigstore_tuf::Error::transport_with_source(format!("ask for {path}"), cause));
        Box::pin(std::future::ready(answer))
    }
}

impl Repository for Asked {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.ask(name, max_length)
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.ask(&format!("targets/{path}"), max_length)
    }
}

/// The library waits for its repository only, and a [`Mirror`] has answered when it returns: no runtime is needed.
fn at_once<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => Err(ErrorKind::Published("the library waits for something else".to_owned()).into()),
    }
}
