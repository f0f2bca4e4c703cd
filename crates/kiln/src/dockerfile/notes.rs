use kiln_build::dockerfile::Notes;
use kiln_oci::Digest;
use kiln_store::StepCache;

/// Small facts in the cache folder.
pub(super) struct NoteBook {
    pub(super) cache: StepCache,
}

impl Notes for NoteBook {
    type Error = kiln_store::Error;

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, kiln_store::Error> {
        self.cache.get(key)
    }

    fn note(&self, key: &Digest, fact: &[u8]) -> Result<(), kiln_store::Error> {
        self.cache.put(key, fact)
    }
}
