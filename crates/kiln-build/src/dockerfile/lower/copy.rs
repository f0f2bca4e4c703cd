//! `COPY` and `ADD`.

use std::sync::Arc;

use kiln_dockerfile::{Add, Chmod, Instruction, Source as Written, Transfer};
use kiln_rootfs::{Content, Kind, RootPath, Tree};

use super::stage::StageState;
use super::{Inputs, Lowerer, Op, Remote};
use crate::Error;
use crate::engine::{Copy, Files, Source};
use crate::engine::{prefix, select};
use crate::error::ErrorKind;

/// Permissions of files that are written in a Dockerfile, and of those that are downloaded.
const INLINE_MODE: u32 = 0o644;
const REMOTE_MODE: u32 = 0o600;

impl<I: Inputs> Lowerer<'_, I> {
    pub(super) fn copy(
        &mut self,
        state: &mut StageState,
        instruction: &Instruction,
        copy: &kiln_dockerfile::Copy,
    ) -> Result<(), Error> {
        let mut op = self.transfer(state, &copy.transfer)?;
        op.parents = copy.parents;
        let paths = self.paths(state, &copy.transfer)?;
        let prefixes = paths.iter().map(|path| prefix(path)).collect::<Result<Vec<_>, Error>>()?;
        let files = match &copy.from {
            _ if paths.is_empty() => None,
            Some(from) if from.value.contains('$') => {
                let help = "name a stage with FROM, which may use variables, and copy from it".to_owned();
                return Err(Error::refused("--from takes no variables", Some(help)));
            }
            Some(from) => Some(self.source(&from.value, state.arch, &prefixes, &state.origin.clone())?),
            None => Some(self.context(&prefixes)?),
        };
        let mut paths = paths.into_iter();
        for source in &copy.transfer.sources {
            op.sources.push(match (source, &files) {
                (Written::Path(_), Some(files)) => {
                    Source::Files(files.clone(), paths.next().unwrap_or_default())
                }
                (Written::Path(_), None) => continue,
                (Written::Heredoc(at), _) => self.inline(state, instruction, *at)?,
            });
        }
        self.finish(state, instruction, op);
        Ok(())
    }

    pub(super) fn add(
        &mut self,
        state: &mut StageState,
        instruction: &Instruction,
        add: &Add,
    ) -> Result<(), Error> {
        let mut op = self.transfer(state, &add.transfer)?;
        for source in &add.transfer.sources {
            match source {
                Written::Heredoc(at) => op.sources.push(self.inline(state, instruction, *at)?),
                Written::Path(path) => {
                    let path = self.expand(&path.value, &state.scope)?;
                    if is_remote(&path) {
                        self.add_remote(state, add, &path, &mut op)?;
                    } else {
                        self.add_local(add, path, &mut op)?;
                    }
                }
            }
        }
        self.finish(state, instruction, op);
        Ok(())
    }

    fn add_remote(&self, state: &StageState, add: &Add, address: &str, op: &mut Copy) -> Result<(), Error> {
        let checksum = match &add.checksum {
            Some(checksum) => Some(self.expand(&checksum.value, &state.scope)?),
            None => None,
        };
        let remote = Remote { address, checksum: checksum.as_deref(), keep_git_dir: add.keep_git_dir };
        let mut tree = self.inputs.remote(&remote).map_err(Error::port("fetch what ADD names"))?;
        if is_git(address) {
            op.sources.push(Source::Archive(Arc::new(tree)));
            return Ok(());
        }
        if add.unpack == Some(true) {
            for (_, entry) in tree.clone().iter() {
                if let Kind::File(content) = &entry.kind
                    && let Some(unpacked) = self.unpacked(content)?
                {
                    op.sources.push(Source::Archive(Arc::new(unpacked)));
                    return Ok(());
                }
            }
        }
        for (_, entry) in tree.iter_mut() {
            entry.attrs.mode = REMOTE_MODE;
        }
        op.sources.push(Source::File(Arc::new(tree)));
        Ok(())
    }

    fn add_local(&self, add: &Add, path: String, op: &mut Copy) -> Result<(), Error> {
        let files = self.context(&[prefix(&path)?])?;
        let Files::Context(tree) = &files else { return Ok(()) };
        if add.unpack == Some(false) {
            op.sources.push(Source::Files(files, path));
            return Ok(());
        }
        let mut archives = Vec::new();
        for item in select(tree, &path, false)? {
            if let Some(Kind::File(content)) = item.entry().map(|entry| &entry.kind)
                && let Some(unpacked) = self.unpacked(content)?
            {
                archives.push((item.path.clone(), unpacked));
            }
        }
        if archives.is_empty() {
            op.sources.push(Source::Files(files, path));
            return Ok(());
        }
        // With archives among them, sources are taken one by one, in order.
        for item in select(tree, &path, false)? {
            match archives.iter().position(|(at, _)| *at == item.path) {
                Some(at) => op.sources.push(Source::Archive(Arc::new(archives.swap_remove(at).1))),
                None => op.sources.push(Source::Files(files.clone(), literal(&item.path))),
            }
        }
        Ok(())
    }

    fn unpacked(&self, content: &Content) -> Result<Option<Tree>, Error> {
        self.inputs.unpack(content).map_err(Error::port("unpack an archive"))
    }

    fn context(&self, prefixes: &[RootPath]) -> Result<Files, Error> {
        let tree = self.inputs.files(None, prefixes).map_err(Error::port("read the context"))?;
        Ok(Files::Context(Arc::new(tree)))
    }

    fn transfer(&self, state: &StageState, transfer: &Transfer) -> Result<Copy, Error> {
        let expand = |word: &kiln_dockerfile::Spanned<String>| self.expand(&word.value, &state.scope);
        let mut op = Copy::to(state.path(&expand(&transfer.dest)?));
        op.chown = transfer.chown.as_ref().map(expand).transpose()?;
        if let Some(chmod) = transfer.chmod.as_ref().map(expand).transpose()? {
            let failed = |why| Error::refused(format!("--chmod: `{chmod}` {why}"), None);
            op.chmod = Some(Chmod::parse(&chmod).map_err(failed)?);
        }
        op.link = transfer.link;
        op.exclude = transfer.exclude.iter().map(expand).collect::<Result<_, _>>()?;
        Ok(op)
    }

    fn paths(&self, state: &StageState, transfer: &Transfer) -> Result<Vec<String>, Error> {
        transfer.paths().map(|path| self.expand(&path.value, &state.scope)).collect()
    }

    fn inline(&self, state: &StageState, instruction: &Instruction, at: usize) -> Result<Source, Error> {
        let Some(heredoc) = instruction.heredocs.get(at) else {
            return Err(Error::refused("the heredoc has no end", None));
        };
        let mut text = heredoc.text();
        if heredoc.expand {
            let failed =
                |source| ErrorKind::Variables { what: "replace the variables of the heredoc", source };
            let expanded = kiln_dockerfile::expand_heredoc(&text, &state.scope, self.file.escape);
            text = expanded.map_err(failed)?.value;
        }
        let mut tree = Tree::new();
        tree.insert_file(&heredoc.name, INLINE_MODE, text.into_bytes())
            .map_err(|source| ErrorKind::Tree { source })?;
        Ok(Source::File(Arc::new(tree)))
    }

    fn finish(&mut self, state: &mut StageState, instruction: &Instruction, op: Copy) {
        let step = self.push(Some(state.top), Op::Copy(op), &state.origin);
        state.top = step;
        state.note(format!("{} # buildkit", instruction.original), Some(step));
    }
}

fn is_git(address: &str) -> bool {
    let plain = address.split(['#', '?']).next().unwrap_or_default();
    address.starts_with("git@")
        || address.starts_with("git://")
        || address.starts_with("ssh://")
        || is_repository(plain)
}

/// Whether an address ends as those of Git repositories do.
pub fn is_repository(address: &str) -> bool {
    address.strip_suffix(".git").is_some()
}

fn is_remote(source: &str) -> bool {
    source.starts_with("http://")
        || source.starts_with("https://")
        || is_git(source) && source.contains([':', '@'])
}

/// A path as a source that names nothing else.
fn literal(path: &RootPath) -> String {
    path.as_str()
        .chars()
        .flat_map(|symbol| {
            matches!(symbol, '*' | '?' | '[' | '\\').then_some('\\').into_iter().chain([symbol])
        })
        .collect()
}
