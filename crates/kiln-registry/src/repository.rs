use std::sync::{Arc, Mutex};

use crate::documents::Documents;
use crate::endpoint::Endpoint;
use crate::transport::Transport;

/// The images of one name in a registry.
pub struct Repository {
    pub(crate) transport: Arc<Transport>,
    pub(crate) main: Endpoint,
    /// Asked first when pulling.
    pub(crate) mirrors: Vec<Endpoint>,
    pub(crate) chunk: Option<u64>,
    /// Repositories of the same registry that may hold a blob already.
    pub(crate) mount_from: Vec<String>,
    pub(crate) documents: Documents,
    /// One change at a time to lists of referrers.
    pub(crate) listing: Mutex<()>,
}

impl Repository {
    pub(crate) fn new(
        transport: Arc<Transport>,
        main: Endpoint,
        mirrors: Vec<Endpoint>,
        chunk: Option<u64>,
    ) -> Self {
        Self {
            transport,
            main,
            mirrors,
            chunk,
            mount_from: Vec::new(),
            documents: Documents::default(),
            listing: Mutex::new(()),
        }
    }

    /// Blobs that `other` holds are taken over from there without being sent, if it is of the same registry.
    pub fn mounting_from(mut self, other: &Self) -> Self {
        if other.main.api == self.main.api && other.main.name != self.main.name {
            self.mount_from.push(other.main.name.clone());
        }
        self
    }

    /// Reads where it writes, and at no mirror: what is there is added to, and must be what is there now.
    pub fn without_mirrors(mut self) -> Self {
        self.mirrors.clear();
        self
    }

    /// `host/path` as people write it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.main.host, self.main.name)
    }

    /// What a push must be allowed to do here, and to read in repositories that blobs are taken over from.
    pub(crate) fn push_scopes(&self) -> String {
        let mut scopes = vec![self.main.scope("pull,push")];
        scopes.extend(self.mount_from.iter().map(|from| format!("repository:{from}:pull")));
        scopes.join(" ")
    }

    /// Where to read from, the preferred place first.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Endpoint> {
        self.mirrors.iter().chain(std::iter::once(&self.main))
    }
}
