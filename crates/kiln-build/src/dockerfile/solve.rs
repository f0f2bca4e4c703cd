//! Makes the layers of a graph, and only those that nobody made before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_rootfs::{Delta, Kind, RootPath, Tree};

use super::content::items_digest;
use super::graph::{Copy, Dir, Exec, ExecMount, ExecMountKind, Files, Graph, Op, Source, Step, StepId};
use super::place::{Placement, place, rooted};
use super::port::{Depth, Form, Job, JobMount, Layer, MountContent, Notes, Watch, Workshop};
use super::select::{Item, select};
use super::stack::Stack;
use super::user::Accounts;
use super::why::Inputs;
use crate::error::ErrorKind;
use crate::{Error, Key};

/// Makes what a graph describes.
pub struct Solver<'a, W, N> {
    graph: &'a Graph,
    workshop: &'a W,
    notes: &'a N,
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

impl<'a, W: Workshop, N: Notes> Solver<'a, W, N> {
    /// A solver to which nothing is known but what workshop and notes keep. With `no_cache`, commands run again.
    pub fn new(
        graph: &'a Graph,
        workshop: &'a W,
        notes: &'a N,
        watch: &'a dyn Watch,
        no_cache: bool,
    ) -> Self {
        let slots = graph.steps.iter().map(|_| Slot::default()).collect();
        let (facts, failed) = (Mutex::default(), AtomicBool::new(false));
        Self { graph, workshop, notes, watch, slots, facts, failed, no_cache }
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
                let packed = self.workshop.pack(&layer).map_err(Error::port("pack a layer"))?;
                found.push((id, packed));
            }
        }
        Ok(found)
    }

    /// What this build found out and made, for other machines. What was not made because nobody needed it is not in it.
    pub fn shared(&self, top: StepId) -> Result<Shared, Error> {
        let mut shared = Shared::default();
        for id in 0..=top {
            if matches!(self.graph.steps[id].op, Op::Base(_)) {
                continue;
            }
            let key = self.key(id)?;
            if self.workshop.has(&key).map_err(Error::port("look into the build cache"))? {
                let packed = self.workshop.pack(&Layer::Made(key)).map_err(Error::port("pack a layer"))?;
                shared.steps.insert(key, Some(packed));
            } else if self.recall(&empty_key(&key))?.is_some() {
                shared.steps.insert(key, None);
            }
        }
        shared.facts.clone_from(&lock(&self.facts));
        Ok(shared)
    }

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.notes.recall(key).map_err(Error::port("look into the build cache"))
    }

    /// Starts on everything that files are taken from, each in a thread of its own.
    fn make_sources(&self, top: StepId) -> Result<(), Error> {
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
            let threads: Vec<_> = wanted
                .into_iter()
                .map(|(copy, from, pattern)| scope.spawn(move || self.step_files_digest(copy, from, pattern)))
                .collect();
            // The first error in the order of the file is told, whichever came first in time.
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map(drop)
            })
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
    fn key(&self, id: StepId) -> Result<Digest, Error> {
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
        if let Some(why) = inputs.changed(&step.origin, self.notes)? {
            self.watch.missed(&step.origin, &why);
        }
        Ok(key)
    }

    /// Everything that goes into a step. The key of what lies below is known by now.
    fn inputs(&self, step: &Step) -> Result<Inputs, Error> {
        let below = step.below.map(|below| lock(&self.slots[below].chain).expect("lower steps come first"));
        let mut inputs = match &step.op {
            Op::Base(layers) => {
                let mut inputs = Inputs::new("base");
                for layer in layers {
                    inputs.add("layer", "the base image", layer.diff_id.to_string());
                }
                return Ok(inputs);
            }
            Op::Dir(dir) => {
                let mut inputs = Inputs::new("dir");
                inputs.add("path", "the path", &dir.path);
                inputs.add("user", "the user", &dir.user);
                let names = Some(dir.user.as_str()).filter(|user| !user.is_empty());
                inputs.add("place", "what lies below", self.place_digest(step, &dir.path, names)?);
                return Ok(inputs);
            }
            Op::Copy(copy) => {
                let mut inputs = self.copy_inputs(copy)?;
                if !copy.link {
                    let place = self.place_digest(step, &copy.dest, copy.chown.as_deref())?;
                    inputs.add("place", "what lies below", place);
                } else if let Some(chown) = &copy.chown {
                    inputs.add("owner", "what lies below", self.place_digest(step, "/", Some(chown))?);
                }
                return Ok(inputs);
            }
            Op::Run(exec) => self.run_inputs(exec)?,
        };
        if let Some(below) = below {
            inputs.add("below", "what lies below", below.to_string());
        }
        Ok(inputs)
    }

    /// What a copy sees of what lies below: the way to its destination, and what the names of its owner mean. It is
    /// noted, so that what lies below need not be made to know it.
    fn place_digest(&self, step: &Step, dest: &str, owner: Option<&str>) -> Result<String, Error> {
        let Some(below) = step.below else { return Ok(String::new()) };
        let owner =
            owner.filter(|owner| owner.contains(|symbol: char| !symbol.is_ascii_digit() && symbol != ':'));
        let key = Key::new("place")
            .field("below", self.chain_key(below)?.as_bytes())
            .field("dest", dest)
            .field("owner", owner.unwrap_or_default())
            .finish();
        self.fact(key, || {
            let stack = self.stack(below)?;
            let mut facts = Key::new("way");
            let end = stack.follow(&rooted(dest)?)?;
            let way: Vec<RootPath> = std::iter::successors(Some(end), RootPath::parent).collect();
            for path in way.iter().rev() {
                let text = stack.get(path).map(|entry| {
                    let is_dir = matches!(entry.kind, Kind::Dir);
                    format!("{:?} {is_dir}", entry.attrs)
                });
                facts = facts.field("path", path.as_str()).field("is", text.unwrap_or_default());
            }
            if owner.is_some() {
                for file in ["etc/passwd", "etc/group"] {
                    facts = facts.field(file, stack.text(file)?.unwrap_or_default());
                }
            }
            Ok(facts.finish().to_string())
        })
    }

    /// A fact that is noted under `key`, or found out now.
    fn fact(&self, key: Digest, find: impl FnOnce() -> Result<String, Error>) -> Result<String, Error> {
        let noted = if self.no_cache { None } else { self.recall(&key)? };
        let fact = if let Some(fact) = noted.and_then(|noted| String::from_utf8(noted).ok()) {
            fact
        } else {
            let fact = find()?;
            self.notes.note(&key, fact.as_bytes()).map_err(Error::port("write to the build cache"))?;
            fact
        };
        lock(&self.facts).insert(key, fact.clone());
        Ok(fact)
    }

    fn copy_inputs(&self, copy: &Copy) -> Result<Inputs, Error> {
        let mut inputs = Inputs::new("copy");
        inputs.add("dest", "the destination", &copy.dest);
        inputs.add("chown", "--chown", format!("{:?}", copy.chown));
        inputs.add("chmod", "--chmod", format!("{:?}", copy.chmod));
        inputs.add("exclude", "--exclude", format!("{:?}", copy.exclude));
        inputs.add("flags", "its flags", format!("{} {}", copy.parents, copy.link));
        for source in &copy.sources {
            match source {
                Source::Files(Files::Context(tree), pattern) => {
                    let items = select(tree, pattern, copy.parents)?;
                    items_digest(&items, copy, &mut inputs)?;
                }
                Source::Files(Files::Step(from), pattern) => {
                    let digest = self.step_files_digest(copy, *from, pattern)?;
                    inputs.add("files", &format!("`{pattern}` of stage {}", self.stage(*from)), digest);
                }
                Source::File(tree) | Source::Archive(tree) => {
                    items_digest(&select(tree, "/", false)?, copy, &mut inputs)?;
                }
            }
        }
        Ok(inputs)
    }

    fn stage(&self, id: StepId) -> &str {
        &self.graph.steps[id].origin.stage
    }

    /// The digest of what a pattern names in the result of a step. It is noted, so that the step need not be made to
    /// know that nothing changed.
    fn step_files_digest(&self, copy: &Copy, from: StepId, pattern: &str) -> Result<String, Error> {
        let key = Key::new("files")
            .field("step", self.chain_key(from)?.as_bytes())
            .field("pattern", pattern)
            .field("parents", copy.parents.to_string())
            .list("exclude", copy.exclude.iter())
            .finish();
        self.fact(key, || {
            let tree = self.merged(from)?;
            let mut inputs = Inputs::new("files");
            items_digest(&select(&tree, pattern, copy.parents)?, copy, &mut inputs)?;
            Ok(inputs.key().to_string())
        })
    }

    fn run_inputs(&self, exec: &Exec) -> Result<Inputs, Error> {
        let mut inputs = Inputs::new("run");
        for word in &exec.argv {
            inputs.add("argv", "the command", word);
        }
        for (name, value) in &exec.env {
            inputs.add(&format!("env {name}"), &format!("the variable {name}"), value);
        }
        inputs.add("cwd", "the working directory", &exec.cwd);
        inputs.add("user", "the user", &exec.user);
        inputs.add("network", "--network", exec.network.to_string());
        inputs.add("hostname", "the host name", &exec.hostname);
        for mount in &exec.mounts {
            self.mount_inputs(mount, &mut inputs)?;
        }
        Ok(inputs)
    }

    fn mount_inputs(&self, mount: &ExecMount, inputs: &mut Inputs) -> Result<(), Error> {
        let target = &mount.target;
        inputs.add("mount", "a mount", format!("{target} {}", mount.read_only));
        match &mount.kind {
            ExecMountKind::Bind(files, path) => {
                inputs.add("bind", "a mount", path);
                match files {
                    Files::Context(tree) => {
                        let whole = Copy::to(target);
                        items_digest(&select(tree, path, false)?, &whole, inputs)?;
                    }
                    Files::Step(from) => {
                        let what = format!("stage {}, mounted at {target}", self.stage(*from));
                        inputs.add("bind step", &what, self.chain_key(*from)?.to_string());
                    }
                }
            }
            ExecMountKind::Cache { id, mode, owner, .. } => {
                inputs.add("cache", "a cache mount", format!("{id} {mode:o} {owner:?}"));
            }
            ExecMountKind::Tmpfs(size) => inputs.add("tmpfs", "a tmpfs mount", format!("{size:?}")),
            // What a secret says never counts, so that no key tells of it.
            ExecMountKind::Secret { id, env, .. } => {
                inputs.add("secret", "a secret mount", format!("{id} {env:?}"));
            }
            ExecMountKind::Ssh { id, .. } => inputs.add("ssh", "an ssh mount", id),
            ExecMountKind::Script(text) => inputs.add("script", "the script", Digest::of(text).to_string()),
        }
        Ok(())
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

    fn find_or_make(&self, step: &Step, key: &Digest, form: Form) -> Result<Made, Error> {
        let empty = empty_key(key);
        let runs = matches!(step.op, Op::Run(_));
        if !(self.no_cache && runs) {
            if self.workshop.has(key).map_err(Error::port("look into the build cache"))? {
                self.watch.step(&step.origin, true);
                return Ok(Made::Changes(*key));
            }
            if self.recall(&empty)?.is_some() {
                self.watch.step(&step.origin, true);
                return Ok(Made::Nothing);
            }
        }
        if self.failed.load(Ordering::Relaxed) {
            return Err(ErrorKind::Stopped.into());
        }
        self.watch.step(&step.origin, false);
        let changes = match &step.op {
            Op::Base(_) => return Ok(Made::Nothing),
            Op::Dir(dir) => self.keep(key, &self.dir(step, dir)?, form)?,
            Op::Copy(copy) => self.keep(key, &self.copy(step, copy)?, form)?,
            Op::Run(exec) => self.run(step, exec, key)?,
        };
        if changes {
            return Ok(Made::Changes(*key));
        }
        self.notes.note(&empty, b"").map_err(Error::port("write to the build cache"))?;
        Ok(Made::Nothing)
    }

    /// Keeps a change, if it is one; says whether it is.
    fn keep(&self, key: &Digest, delta: &Delta, form: Form) -> Result<bool, Error> {
        if delta.is_empty() {
            return Ok(false);
        }
        self.workshop.keep(key, delta, form).map_err(Error::port("keep a layer"))?;
        Ok(true)
    }

    fn dir(&self, step: &Step, dir: &Dir) -> Result<Delta, Error> {
        let stack = self.stack_below(step)?;
        let path = stack.follow(&rooted(&dir.path)?)?;
        match stack.get(&path).map(|entry| &entry.kind) {
            Some(Kind::Dir) => return Ok(Delta::default()),
            Some(_) => return Err(ErrorKind::InTheWay { path: dir.path.clone(), is_dir: false }.into()),
            None if path.is_root() => return Ok(Delta::default()),
            None => {}
        }
        let owner = if dir.user.is_empty() { (0, 0) } else { self.accounts(step)?.dir_owner(&dir.user)? };
        let nothing_excluded = |_: &str| false;
        let below = |path: &RootPath| stack.get(path);
        let dest = format!("/{path}/");
        let placement = Placement {
            dest: &dest,
            owner: Some(owner),
            mode: None,
            excluded: &nothing_excluded,
            below: &below,
        };
        let nothing = Tree::new();
        let item = Item { tree: &nothing, path: RootPath::ROOT, name: String::new(), keeps: None };
        Ok(Delta::placing(place(&[item], &placement)?))
    }

    fn copy(&self, step: &Step, copy: &Copy) -> Result<Delta, Error> {
        let stack = if copy.link { Stack::default() } else { self.stack_below(step)? };
        let owner = match &copy.chown {
            Some(chown) => Some(self.accounts(step)?.owner(chown)?),
            None => None,
        };
        let trees = copy
            .sources
            .iter()
            .map(|source| match source {
                Source::Files(Files::Context(tree), _) | Source::File(tree) | Source::Archive(tree) => {
                    Ok(tree.clone())
                }
                Source::Files(Files::Step(from), _) => self.merged(*from),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let mut items = Vec::new();
        for (source, tree) in copy.sources.iter().zip(&trees) {
            match source {
                Source::Files(_, pattern) => items.extend(select(tree, pattern, copy.parents)?),
                Source::Archive(_) => {
                    items.push(Item { tree, path: RootPath::ROOT, name: String::new(), keeps: None });
                }
                Source::File(_) => items.extend(tree.iter().map(|(path, _)| Item {
                    tree,
                    path: path.clone(),
                    name: path.file_name().to_owned(),
                    keeps: None,
                })),
            }
        }
        let mode = copy.chmod.as_ref().map(|change| |mode, is_dir| change.apply(mode, is_dir));
        let excluded = copy.exclusion();
        let dest = match items.len() {
            0 | 1 => copy.dest.clone(),
            _ => format!("{}/", copy.dest.trim_end_matches('/')),
        };
        let below = |path: &RootPath| stack.get(path);
        let placement = Placement {
            dest: &dest,
            owner,
            mode: mode.as_ref().map(|mode| mode as &dyn Fn(u32, bool) -> u32),
            excluded: &excluded,
            below: &below,
        };
        Ok(Delta::placing(place(&items, &placement)?))
    }

    fn run(&self, step: &Step, exec: &Exec, key: &Digest) -> Result<bool, Error> {
        let stack = self.stack_below(step)?;
        let mut below = Vec::new();
        if let Some(top) = step.below {
            below = self.layers_of(top)?;
        }
        let user = self.accounts(step)?.run_as(&exec.user)?;
        let mounts = exec
            .mounts
            .iter()
            .map(|mount| {
                let (kind, read_only) = (&mount.kind, mount.read_only);
                let content = self.mount_content(kind)?;
                Ok(JobMount { target: stack.follow(&rooted(&mount.target)?)?, read_only, kind, content })
            })
            .collect::<Result<_, Error>>()?;
        let exists = |path: &RootPath| stack.get(path).is_some();
        let job = Job { exec, origin: &step.origin, below, user, mounts, exists: &exists };
        self.workshop.run(key, &job).map_err(Error::port("run the command"))
    }

    fn mount_content(&self, kind: &ExecMountKind) -> Result<Option<MountContent>, Error> {
        let (ExecMountKind::Bind(files, path) | ExecMountKind::Cache { from: Some((files, path)), .. }) =
            kind
        else {
            return Ok(None);
        };
        Ok(Some(match files {
            Files::Context(tree) => MountContent::Tree(tree.clone(), rooted(path)?),
            Files::Step(from) => {
                let path = self.stack(*from)?.follow(&rooted(path)?)?;
                MountContent::Layers(self.layers_of(*from)?, path)
            }
        }))
    }

    /// The layers that lead to a step, lowest first, to run over.
    fn layers_of(&self, top: StepId) -> Result<Vec<Layer>, Error> {
        let mut layers = Vec::new();
        for id in self.chain(top) {
            match &self.graph.steps[id].op {
                Op::Base(base) => layers.extend(base.iter().cloned().map(Layer::Packed)),
                _ => layers.extend(self.made(id, Form::Folder)?),
            }
        }
        Ok(layers)
    }

    fn stack_below(&self, step: &Step) -> Result<Stack, Error> {
        step.below.map_or_else(|| Ok(Stack::default()), |below| self.stack(below))
    }

    /// Names and attributes of everything that a step leads to.
    fn stack(&self, top: StepId) -> Result<Stack, Error> {
        let deltas = self.chain(top).into_iter().map(|id| self.deltas(id, Depth::Names));
        Ok(Stack::new(deltas.collect::<Result<Vec<_>, Error>>()?))
    }

    /// What a step changes. The layers of a base come as one.
    fn deltas(&self, id: StepId, depth: Depth) -> Result<Arc<Delta>, Error> {
        let layer = match &self.graph.steps[id].op {
            Op::Base(_) => None,
            _ => self.made(id, Form::Folder)?,
        };
        let slot = match depth {
            Depth::Names => &self.slots[id].names,
            Depth::Content => &self.slots[id].content,
        };
        let mut slot = lock(slot);
        if let Some(delta) = &*slot {
            return Ok(delta.clone());
        }
        let read = |layer: &Layer| self.workshop.read(layer, depth).map_err(Error::port("read a layer"));
        let delta = match (&self.graph.steps[id].op, layer) {
            (Op::Base(layers), _) => match &layers[..] {
                [only] => read(&Layer::Packed(only.clone()))?,
                layers => {
                    let mut tree = Tree::new();
                    for layer in layers {
                        let delta = read(&Layer::Packed(layer.clone()))?;
                        delta.apply(&mut tree).map_err(|source| ErrorKind::Tree { source })?;
                    }
                    Arc::new(Delta::placing(tree))
                }
            },
            (_, Some(layer)) => read(&layer)?,
            (_, None) => Arc::default(),
        };
        *slot = Some(delta.clone());
        Ok(delta)
    }

    /// Everything that a step leads to, with content.
    fn merged(&self, top: StepId) -> Result<Arc<Tree>, Error> {
        let mut slot = lock(&self.slots[top].merged);
        if let Some(tree) = &*slot {
            return Ok(tree.clone());
        }
        let mut tree = Tree::new();
        for id in self.chain(top) {
            let delta = self.deltas(id, Depth::Content)?;
            delta.apply(&mut tree).map_err(|source| ErrorKind::Tree { source })?;
        }
        let tree = Arc::new(tree);
        *slot = Some(tree.clone());
        Ok(tree)
    }

    fn accounts(&self, step: &Step) -> Result<Accounts, Error> {
        let stack = self.stack_below(step)?;
        Ok(Accounts { passwd: stack.text("etc/passwd")?, group: stack.text("etc/group")? })
    }
}

/// A lock that another thread left in panic guards nothing that is half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
