//! What is seen at a step: names, content, accounts.

use std::sync::Arc;

use kiln_rootfs::{Delta, RootPath, Tree};

use super::super::graph::{Op, Step, StepId};
use super::super::port::{BaseLayer, Cache, Depth, Executor, Form, Layer};
use super::super::stack::Stack;
use super::super::user::Accounts;
use super::{Solver, lock};
use crate::Error;
use crate::error::ErrorKind;

impl<W: Executor, N: Cache> Solver<'_, W, N> {
    /// The layers that lead to a step, lowest first, to run over.
    pub(super) fn layers_of(&self, top: StepId) -> Result<Vec<Layer>, Error> {
        let mut layers = Vec::new();
        for id in self.chain(top) {
            match &self.graph.steps[id].op {
                Op::Base(base) => layers.extend(BaseLayer::all(base).map(Layer::Base)),
                _ => layers.extend(self.made(id, Form::Folder)?),
            }
        }
        Ok(layers)
    }

    pub(super) fn stack_below(&self, step: &Step) -> Result<Stack, Error> {
        step.below.map_or_else(|| Ok(Stack::default()), |below| self.stack(below))
    }

    /// Names and attributes of everything that a step leads to.
    pub(super) fn stack(&self, top: StepId) -> Result<Stack, Error> {
        let deltas = self.chain(top).into_iter().map(|id| self.deltas(id, Depth::Names));
        Ok(Stack::new(deltas.collect::<Result<Vec<_>, Error>>()?))
    }

    /// What a step changes. The layers of a base come as one.
    pub(super) fn deltas(&self, id: StepId, depth: Depth) -> Result<Arc<Delta>, Error> {
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
        let read = |layer: &Layer| self.executor.read(layer, depth).map_err(Error::port("read a layer"));
        let delta = match (&self.graph.steps[id].op, layer) {
            (Op::Base(layers), _) => {
                let mut deltas = Vec::new();
                for layer in BaseLayer::all(layers).rev() {
                    deltas.push(read(&Layer::Base(layer))?);
                    if deltas.last().is_some_and(|delta| delta.opaque.contains(&RootPath::ROOT)) {
                        break;
                    }
                }
                match &deltas[..] {
                    // Where there is one layer, nothing is copied.
                    [only] if only.links_below().next().is_none() => only.clone(),
                    _ => {
                        let mut tree = Tree::new();
                        for delta in deltas.iter().rev() {
                            delta.apply(&mut tree).map_err(|source| ErrorKind::Tree { source })?;
                        }
                        Arc::new(Delta::placing(tree))
                    }
                }
            }
            // What a command left may be what no layer holds.
            (_, Some(layer)) => read(&layer).map_err(|error| error.at(&self.graph.steps[id].origin))?,
            (_, None) => Arc::default(),
        };
        *slot = Some(delta.clone());
        Ok(delta)
    }

    /// Everything that a step leads to, with content.
    pub(super) fn merged(&self, top: StepId) -> Result<Arc<Tree>, Error> {
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

    pub(super) fn accounts(&self, step: &Step) -> Result<Accounts, Error> {
        let stack = self.stack_below(step)?;
        Ok(Accounts { passwd: stack.text("etc/passwd")?, group: stack.text("etc/group")? })
    }
}
