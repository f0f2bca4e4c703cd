//! What goes into each step.

use kiln_oci::Digest;
use kiln_rootfs::{Kind, RootPath};

use super::super::content::items_digest;
use super::super::graph::{Copy, Exec, ExecMount, ExecMountKind, Files, Op, Source, Step, StepId, Writes};
use super::super::port::{Cache, Executor};
use super::super::rooted::rooted;
use super::super::select::select;
use super::super::why::Inputs;
use super::{Solver, lock};
use crate::{Error, Key};

impl<W: Executor, N: Cache> Solver<'_, W, N> {
    /// Everything that goes into a step. The key of what lies below is known by now.
    pub(super) fn inputs(&self, step: &Step) -> Result<Inputs, Error> {
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
            Op::Builder(digest) => {
                let mut inputs = Inputs::new("builder");
                inputs.add("builder", "the base of build steps", digest.to_string());
                return Ok(inputs);
            }
            Op::Part(part) => {
                let mut inputs = Inputs::new("part");
                inputs.add("choice", "what is chosen", part.name);
                inputs.add("code", "what kiln ships", Digest::of(part.code.concat().as_bytes()).to_string());
                inputs.add("rules", "what [image] in kiln.toml ships", part.rules.clone());
                let what = format!("what stage {} left", self.stage(part.from));
                inputs.add("from", &what, self.chain_key(part.from)?.to_string());
                inputs.add("above", &what, self.chain_key(part.above)?.to_string());
                for &step in &part.beside {
                    let what = format!("what stage {} left", self.stage(step));
                    inputs.add("beside", &what, self.chain_key(step)?.to_string());
                }
                return Ok(inputs);
            }
        };
        if let Some(below) = below {
            inputs.add("below", "what lies below", below.to_string());
        }
        Ok(inputs)
    }

    /// What a copy sees of what lies below: the way to its destination, and what the names of its owner mean. It is
    /// noted, so that what lies below need not be made to know it.
    pub(super) fn place_digest(&self, step: &Step, dest: &str, owner: Option<&str>) -> Result<String, Error> {
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
    pub fn fact(&self, key: Digest, find: impl FnOnce() -> Result<String, Error>) -> Result<String, Error> {
        let noted = if self.no_cache { None } else { self.recall(&key)? };
        let fact = if let Some(fact) = noted.and_then(|noted| String::from_utf8(noted).ok()) {
            fact
        } else {
            let fact = find()?;
            self.cache.note(&key, fact.as_bytes()).map_err(Error::port("write to the build cache"))?;
            fact
        };
        lock(&self.facts).insert(key, fact.clone());
        Ok(fact)
    }

    pub(super) fn copy_inputs(&self, copy: &Copy) -> Result<Inputs, Error> {
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

    pub(super) fn stage(&self, id: StepId) -> &str {
        &self.graph.steps[id].origin.stage
    }

    /// The digest of what a pattern names in the result of a step. It is noted, so that the step need not be made to
    /// know that nothing changed.
    pub(super) fn step_files_digest(
        &self,
        copy: &Copy,
        from: StepId,
        pattern: &str,
    ) -> Result<String, Error> {
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

    pub(super) fn run_inputs(&self, exec: &Exec) -> Result<Inputs, Error> {
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

    pub(super) fn mount_inputs(&self, mount: &ExecMount, inputs: &mut Inputs) -> Result<(), Error> {
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
            ExecMountKind::Cache { id, mode, owner, writes, .. } => {
                let lost = if *writes == Writes::Lost { " lost" } else { "" };
                inputs.add("cache", "a cache mount", format!("{id} {mode:o} {owner:?}{lost}"));
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
}
