//! Manifests and indexes, kept for the moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiln_oci::{Descriptor, Digest};

/// How much is kept at the same time.
const KEPT_MAX: usize = 64 << 20;

/// A manifest or index as it was received or sent.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: Vec<u8>,
}

/// Documents that passed by, so that they are asked for once.
#[derive(Default)]
pub(crate) struct Documents {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<Digest, Document>,
    size: usize,
    /// Manifests whose subject the registry keeps account of.
    listed: BTreeSet<Digest>,
}

impl Documents {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Document> {
        self.state().kept.get(digest).cloned()
    }

    pub(crate) fn keep(&self, document: &Document) {
        let mut state = self.state();
        if state.kept.contains_key(&document.descriptor.digest) {
            return;
        }
        if state.size + document.bytes.len() > KEPT_MAX {
            state.kept.clear();
            state.size = 0;
        }
        state.size += document.bytes.len();
        state.kept.insert(document.descriptor.digest, document.clone());
    }

    pub(crate) fn is_listed(&self, digest: &Digest) -> bool {
        self.state().listed.contains(digest)
    }

    /// Notes that the registry keeps account of what that manifest is about.
    pub(crate) fn list(&self, digest: Digest) {
        self.state().listed.insert(digest);
    }
}
