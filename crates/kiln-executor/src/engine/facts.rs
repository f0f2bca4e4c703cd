use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kiln_build::engine::Cache;
use kiln_oci::Digest;
use kiln_store::{Error, StepCache};

/// Small facts: those of the cache folder, and those that a cache of somebody else's lends to this build. What is lent is
/// never written down, so that no other build, and no other command, believes it.
pub(crate) struct FactCache {
    cache: StepCache,
    lent: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

impl FactCache {
    pub(super) fn new(cache: StepCache) -> Self {
        Self { cache, lent: Mutex::default() }
    }

    pub(super) fn get(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let known = self.cache.get(key)?;
        Ok(known.or_else(|| self.lent.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()))
    }

    pub(super) fn put(&self, key: &Digest, fact: &[u8]) -> Result<(), Error> {
        self.cache.put(key, fact)
    }

    pub(super) fn forget(&self, key: &Digest) -> Result<(), Error> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.cache.forget(key)
    }

    /// Believes something for as long as this build goes on.
    pub(super) fn lend(&self, key: Digest, fact: Vec<u8>) {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).insert(key, fact);
    }
}

impl Cache for FactCache {
    type Error = Error;

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.get(key)
    }

    fn note(&self, key: &Digest, fact: &[u8]) -> Result<(), Error> {
        self.put(key, fact)
    }
}
