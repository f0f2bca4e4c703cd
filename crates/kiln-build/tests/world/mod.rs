//! Ports of the engine that keep everything in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use kiln_build::engine::{Cache, Depth, Executor, Form, Job, Layer, Origin, Watch};
use kiln_finding::{Class, Diagnose};
use kiln_image::{PackedLayer, pack_delta};
use kiln_oci::Digest;
use kiln_rootfs::{Delta, Tree};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Trouble(pub(crate) String);

impl Diagnose for Trouble {
    fn code(&self) -> &'static str {
        "test.trouble"
    }

    fn class(&self) -> Class {
        Class::Bug
    }
}

/// What a command makes of what it is told: a file to be made, nothing, or that it fails.
pub(crate) type Command = fn(&[String]) -> Result<Option<&str>, Trouble>;

/// Layers and facts in memory.
pub(crate) struct World {
    command: Command,
    made: Mutex<BTreeMap<Digest, Arc<Delta>>>,
    facts: Mutex<BTreeMap<Digest, Vec<u8>>>,
    /// What was done since it was last asked.
    done: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, made: Mutex::default(), facts: Mutex::default(), done: Mutex::default() }
    }

    pub(crate) fn done(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.done.lock().unwrap()).into_iter().collect()
    }
}

impl Executor for World {
    type Error = Trouble;

    fn has(&self, key: &Digest) -> Result<bool, Trouble> {
        Ok(self.made.lock().unwrap().contains_key(key))
    }

    fn read(&self, layer: &Layer, _depth: Depth) -> Result<Arc<Delta>, Trouble> {
        let Layer::Made(key) = layer else { return Err(Trouble("bases are empty here".to_owned())) };
        self.made.lock().unwrap().get(key).cloned().ok_or_else(|| Trouble("lost".to_owned()))
    }

    fn keep(&self, key: &Digest, delta: &Delta, _form: Form) -> Result<(), Trouble> {
        self.made.lock().unwrap().insert(*key, Arc::new(delta.clone()));
        Ok(())
    }

    fn builder(&self, key: &Digest, _digest: &Digest) -> Result<(), Trouble> {
        let mut tree = Tree::new();
        tree.insert_file("bin/sh", 0o755, *b"sh").map_err(|error| Trouble(error.to_string()))?;
        self.keep(key, &Delta::placing(tree), Form::Folder)
    }

    fn run(&self, key: &Digest, job: &Job<'_>) -> Result<bool, Trouble> {
        let Some(path) = (self.command)(&job.exec.argv)? else { return Ok(false) };
        let mut tree = Tree::new();
        tree.insert_file(path, 0o644, *b"touched").map_err(|error| Trouble(error.to_string()))?;
        self.keep(key, &Delta::placing(tree), Form::Folder)?;
        Ok(true)
    }

    fn pack(&self, layer: &Layer) -> Result<PackedLayer, Trouble> {
        let delta = self.read(layer, Depth::Content)?;
        let packed = pack_delta(&delta, 0, kiln_image::Compression::Gzip, 1, std::io::sink());
        packed.map(|(_, layer)| layer).map_err(|error| Trouble(error.to_string()))
    }
}

impl Cache for World {
    type Error = Trouble;

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.facts.lock().unwrap().get(key).cloned())
    }

    fn note(&self, key: &Digest, fact: &[u8]) -> Result<(), Trouble> {
        self.facts.lock().unwrap().insert(*key, fact.to_vec());
        Ok(())
    }
}

impl Watch for World {
    fn step(&self, origin: &Origin, is_cached: bool) {
        if !is_cached {
            self.done.lock().unwrap().push(origin.text.clone());
        }
    }
}
