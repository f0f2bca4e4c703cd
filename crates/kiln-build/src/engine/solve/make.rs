//! Makes what was never made.

use std::sync::atomic::Ordering;

use kiln_oci::Digest;
use kiln_rootfs::{Delta, Kind, RootPath, Tree};

use super::super::graph::{Copy, Dir, Exec, ExecMountKind, Files, Left, Op, Part, Source, Step};
use super::super::place::{Placement, place};
use super::super::port::{Cache, Depth, Executor, Form, Job, JobMount, MountContent};
use super::super::rooted::rooted;
use super::super::select::{Item, select};
use super::super::stack::Stack;
use super::{Made, Solver, empty_key};
use crate::Error;
use crate::error::ErrorKind;

impl<W: Executor, N: Cache> Solver<'_, W, N> {
    pub(super) fn find_or_make(&self, step: &Step, key: &Digest, form: Form) -> Result<Made, Error> {
        let empty = empty_key(key);
        // A part is what commands left: it is found only where they need not run again.
        let is_left_by_commands = matches!(step.op, Op::Run(_) | Op::Part(_));
        if !(self.no_cache && is_left_by_commands) {
            if self.executor.has(key).map_err(Error::port("look into the build cache"))? {
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
        if let Op::Part(part) = &step.op {
            // So that it is told after those that it is made from.
            for &step in [&part.from].into_iter().chain(&part.beside) {
                self.layers_of(step)?;
            }
        }
        self.watch.step(&step.origin, false);
        let changes = match &step.op {
            Op::Base(_) => return Ok(Made::Nothing),
            Op::Dir(dir) => self.keep(key, &self.dir(step, dir)?, form)?,
            Op::Copy(copy) => self.keep(key, &self.copy(step, copy)?, form)?,
            Op::Run(exec) => self.run(step, exec, key)?,
            Op::Part(part) => self.keep(key, &self.part(part)?, form)?,
            Op::Builder(digest) => {
                self.executor.builder(key, digest).map_err(Error::port("make the base of build steps"))?;
                true
            }
        };
        if changes {
            return Ok(Made::Changes(*key));
        }
        self.cache.note(&empty, b"").map_err(Error::port("write to the build cache"))?;
        Ok(Made::Nothing)
    }

    /// Keeps a change, if it is one; says whether it is.
    pub(super) fn keep(&self, key: &Digest, delta: &Delta, form: Form) -> Result<bool, Error> {
        if delta.is_empty() {
            return Ok(false);
        }
        self.executor.keep(key, delta, form).map_err(Error::port("keep a layer"))?;
        Ok(true)
    }

    pub(super) fn dir(&self, step: &Step, dir: &Dir) -> Result<Delta, Error> {
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

    pub(super) fn copy(&self, step: &Step, copy: &Copy) -> Result<Delta, Error> {
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

    /// What a stage left above one of its steps, as far as it is chosen.
    fn part(&self, part: &Part) -> Result<Delta, Error> {
        let mut left = Left::default();
        for id in self.chain(part.from).into_iter().skip_while(|&id| id != part.above).skip(1) {
            let delta = self.deltas(id, Depth::Content)?;
            left.removed.extend(delta.removed.iter().chain(&delta.opaque).cloned());
            delta.apply(&mut left.tree).map_err(|source| ErrorKind::Tree { source })?;
        }
        for &step in &part.beside {
            left.beside.push(self.stack(step)?);
        }
        (part.choose)(&left)
    }

    pub(super) fn run(&self, step: &Step, exec: &Exec, key: &Digest) -> Result<bool, Error> {
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
        let follow = |path: &RootPath| stack.follow(path).ok();
        let job = Job { exec, origin: &step.origin, below, user, mounts, exists: &exists, follow: &follow };
        self.executor.run(key, &job).map_err(Error::port("run the command"))
    }

    pub(super) fn mount_content(&self, kind: &ExecMountKind) -> Result<Option<MountContent>, Error> {
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
}
