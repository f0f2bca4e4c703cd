//! Makes the layers of a graph, and only those that nobody made before.

mod inputs;
mod make;
mod views;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_rootfs::{Delta, Tree};

use super::graph::{Files, Graph, Op, Source, StepId};
use super::port::{Cache, Depth, Executor, Form, Layer, Watch};
use crate::{Error, Key};

/// Makes what a graph describes.
pub struct Solver<'a, W, N> {
    graph: &'a Graph,
    executor: &'a W,
    cache: &'a N,
    watch: &'a dyn Watch,
    slots: Vec<Slot>,
    /// Digests of files in results of steps, by the key they are noted under.
    facts: Mutex<BTreeMap<Digest, String>>,
    failed: AtomicBool,
    no_cache: bool,
}

/// What a build found out and made.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The layer of each step by its key; `None` where it changes nothing.
    pub steps: BTreeMap<Digest, Option<PackedLayer>>,
    /// Facts by the key that they are noted under.
    pub facts: BTreeMap<Digest, String>,
}

/// Under this key it is noted that a step changes nothing.
pub fn empty_key(step: &Digest) -> Digest {
    Key::new("empty").field("step", step.as_bytes()).finish()
}

/// What is known of a step so far. Each lock is held while what it guards is found out, so nothing is done twice.
#[derive(Default)]
struct Slot {
    key: Mutex<Option<Digest>>,
    chain: Mutex<Option<Digest>>,
    made: Mutex<Option<Made>>,
    names: Mutex<Option<Arc<Delta>>>,
    content: Mutex<Option<Arc<Delta>>>,
    merged: Mutex<Option<Arc<Tree>>>,
}

/// What a step made.
#[derive(Clone)]
enum Made {
    /// It changes nothing.
    Nothing,
    /// A layer under this key.
    Changes(Digest),
}

impl Made {
    fn layer(&self) -> Option<Layer> {
        match self {
            Self::Nothing => None,
            Self::Changes(key) => Some(Layer::Made(*key)),
        }
    }
}

impl<'a, W: Executor, N: Cache> Solver<'a, W, N> {
    /// A solver to which nothing is known but what executor and cache keep. With `no_cache`, commands run again.
    pub fn new(
        graph: &'a Graph,
        executor: &'a W,
        cache: &'a N,
        watch: &'a dyn Watch,
        no_cache: bool,
    ) -> Self {
        let slots = graph.steps.iter().map(|_| Slot::default()).collect();
        let (facts, failed) = (Mutex::default(), AtomicBool::new(false));
        Self { graph, executor, cache, watch, slots, facts, failed, no_cache }
    }

    /// The packed layers that lead to `top`, lowest first, each with the step that made it. Stages that do not need each
    /// other are made at the same time.
    pub fn layers(&self, top: StepId) -> Result<Vec<(StepId, PackedLayer)>, Error> {
        self.make_sources(top)?;
        let chain = self.chain(top);
        // Commands run over folders; what lies above the last of them need never be one.
        let last_run = chain.iter().copied().rfind(|&id| matches!(self.graph.steps[id].op, Op::Run(_)));
        let mut found = Vec::new();
        for id in chain {
            if let Op::Base(layers) = &self.graph.steps[id].op {
                found.extend(layers.iter().map(|layer| (id, layer.clone())));
            } else if let Some(layer) =
                self.made(id, if Some(id) < last_run { Form::Folder } else { Form::Blob })?
            {
                found.push((id, self.pack(id, &layer)?));
            }
        }
        Ok(found)
    }

    /// What a step made as a blob. What a command left may be what no layer holds.
    fn pack(&self, id: StepId, layer: &Layer) -> Result<PackedLayer, Error> {
        let packed = self.executor.pack(layer).map_err(Error::port("pack a layer"));
        packed.map_err(|error| error.at(&self.graph.steps[id].origin))
    }

    /// What this build found out and made, for other machines. What was not made because nobody needed it is not in it.
    pub fn shared(&self, top: StepId) -> Result<Shared, Error> {
        let mut shared = Shared::default();
        for id in 0..=top {
            if matches!(self.graph.steps[id].op, Op::Base(_) | Op::Builder(_)) {
                continue;
            }
            let key = self.key(id)?;
            if self.executor.has(&key).map_err(Error::port("look into the build cache"))? {
                let packed = self.pack(id, &Layer::Made(key))?;
                shared.steps.insert(key, Some(packed));
            } else if self.recall(&empty_key(&key))?.is_some() {
                shared.steps.insert(key, None);
            }
        }
        shared.facts.clone_from(&lock(&self.facts));
        Ok(shared)
    }

    /// Names and attributes of what a step changes.
    pub fn names(&self, id: StepId) -> Result<Arc<Delta>, Error> {
        self.deltas(id, Depth::Names)
    }

    /// The same with the content of every file, which can be read for as long as the build goes on.
    pub fn content(&self, id: StepId) -> Result<Arc<Delta>, Error> {
        self.deltas(id, Depth::Content)
    }

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.cache.recall(key).map_err(Error::port("look into the build cache"))
    }

    /// Starts on everything that files are taken from, and on every part, each in a thread of its own.
    fn make_sources(&self, top: StepId) -> Result<(), Error> {
        let steps = 0..=top;
        let parts = steps.filter(|&id| matches!(self.graph.steps[id].op, Op::Part(_)));
        let sources = self.graph.steps[..=top].iter().flat_map(|step| match &step.op {
            Op::Copy(copy) => copy.sources.iter().map(|source| (copy, source)).collect(),
            _ => Vec::new(),
        });
        let wanted: Vec<_> = sources
            .filter_map(|(copy, source)| match source {
                Source::Files(Files::Step(from), pattern) => Some((copy, *from, pattern)),
                _ => None,
            })
            .collect();
        std::thread::scope(|scope| {
            let mut threads: Vec<_> = wanted
                .into_iter()
                .map(|(copy, from, pattern)| {
                    scope.spawn(move || self.step_files_digest(copy, from, pattern).map(drop))
                })
                .collect();
            threads.extend(parts.map(|id| scope.spawn(move || self.made(id, Form::Blob).map(drop))));
            let outcomes = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            let errors: Vec<Error> = outcomes.filter_map(Result::err).collect();
            // The first error in the order of the file is told, whichever came first in time; never that of a stage which was only
            // stopped for another's.
            let stopped = errors.iter().position(|error| !error.is_stopped()).unwrap_or_default();
            errors.into_iter().nth(stopped).map_or(Ok(()), Err)
        })
    }

    /// The step and all below it, lowest first.
    fn chain(&self, top: StepId) -> Vec<StepId> {
        let mut chain: Vec<StepId> =
            std::iter::successors(Some(top), |&id| self.graph.steps[id].below).collect();
        chain.reverse();
        chain
    }

    /// What the result of a step is remembered by: everything that goes into it. Commands see all that lies below; a
    /// copy only the place that it goes to, so that it stays the same layer when something else changes.
    pub fn key(&self, id: StepId) -> Result<Digest, Error> {
        for id in self.chain(id) {
            let mut slot = lock(&self.slots[id].key);
            if slot.is_some() {
                continue;
            }
            let key = self.find_key(id)?;
            *slot = Some(key);
            let below = self.graph.steps[id].below;
            let below = below.map(|below| lock(&self.slots[below].chain).expect("lower steps come first"));
            let chain = match below {
                Some(below) => {
                    Key::new("chain").field("below", below.as_bytes()).field("step", key.as_bytes()).finish()
                }
                None => key,
            };
            *lock(&self.slots[id].chain) = Some(chain);
        }
        Ok(lock(&self.slots[id].key).expect("the key was just found"))
    }

    /// What everything that a step leads to is remembered by.
    fn chain_key(&self, id: StepId) -> Result<Digest, Error> {
        self.key(id)?;
        Ok(lock(&self.slots[id].chain).expect("it was found with the key"))
    }

    fn find_key(&self, id: StepId) -> Result<Digest, Error> {
        let step = &self.graph.steps[id];
        let inputs = self.inputs(step).map_err(|error| error.at(&step.origin))?;
        let key = inputs.key();
        if let Some(why) = inputs.changed(&step.origin, self.cache)? {
            self.watch.missed(&step.origin, &why);
        }
        Ok(key)
    }

    /// The layer of a step; `None` where it changes nothing.
    fn made(&self, id: StepId, form: Form) -> Result<Option<Layer>, Error> {
        let key = self.key(id)?;
        let mut slot = lock(&self.slots[id].made);
        if let Some(made) = &*slot {
            return Ok(made.layer());
        }
        let step = &self.graph.steps[id];
        let made = self.find_or_make(step, &key, form).map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            error.at(&step.origin)
        })?;
        let layer = made.layer();
        *slot = Some(made);
        Ok(layer)
    }
}

/// A lock that another thread left in panic guards nothing that is half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
