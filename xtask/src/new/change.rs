use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::tree;

/// Texts by path.
pub(super) type Files = BTreeMap<String, String>;

/// What a recipe writes: new files, and files with new lines. Nothing is written before all of it is known.
pub(super) struct Change<'a> {
    tree: &'a Files,
    pub(super) created: Files,
    pub(super) changed: Files,
}

impl<'a> Change<'a> {
    pub(super) fn of(tree: &'a Files) -> Self {
        Self { tree, created: Files::new(), changed: Files::new() }
    }

    /// A file that is not there yet.
    pub(super) fn file(&mut self, path: String, text: String) -> anyhow::Result<()> {
        ensure!(!self.tree.contains_key(&path), "{path} is there already");
        self.created.insert(path, text);
        Ok(())
    }

    /// The two lines by which the table in `folder` has a new module: that it is there, and the constant in it.
    pub(super) fn listed(&mut self, folder: &str, stem: &str, constant: &str) -> anyhow::Result<()> {
        let table = format!("{folder}/mod.rs");
        self.sorted(&table, "mod ", &format!("mod {stem};"))?;
        self.sorted(&table, "&", &format!("    &{stem}::{constant},"))
    }

    /// A line of the first block of lines that begin with `like`, where the order has it.
    pub(super) fn sorted(&mut self, path: &str, like: &str, line: &str) -> anyhow::Result<()> {
        self.insert(path, like, line, |lines, line| lines.iter().position(|other| key(other) > key(line)))
    }

    /// The last line of the first block of lines that begin with `like`.
    pub(super) fn last(&mut self, path: &str, like: &str, line: &str) -> anyhow::Result<()> {
        self.insert(path, like, line, |_, _| None)
    }

    fn insert(
        &mut self,
        path: &str,
        like: &str,
        line: &str,
        place: impl Fn(&[&str], &str) -> Option<usize>,
    ) -> anyhow::Result<()> {
        let text = self.changed.get(path).or_else(|| self.tree.get(path));
        let text = text.with_context(|| format!("there is no {path}"))?;
        let lines: Vec<&str> = text.lines().collect();
        let is_like = |line: &&str| key(line).starts_with(like);
        let start = lines.iter().position(is_like);
        let start = start.with_context(|| format!("{path} has no line that begins with `{like}`"))?;
        let block: Vec<&str> = lines[start..].iter().copied().take_while(is_like).collect();
        ensure!(!block.iter().any(|other| key(other) == key(line)), "{path} has `{}` already", line.trim());
        let at = start + place(&block, line).unwrap_or(block.len());
        let (before, after) = lines.split_at(at);
        let text = [before, &[line], after].concat().join("\n") + "\n";
        self.changed.insert(path.to_owned(), text);
        Ok(())
    }

    /// Writes it all, or nothing where a file is in the way.
    pub(super) fn write(&self, root: &Path) -> anyhow::Result<()> {
        for path in self.created.keys() {
            if root.join(path).symlink_metadata().is_ok() {
                bail!("{path} is there already");
            }
        }
        for (path, text) in &self.created {
            let full = root.join(path);
            fs::create_dir_all(full.parent().unwrap_or(root))
                .with_context(|| format!("make the folder of {path}"))?;
            let file = OpenOptions::new().write(true).create_new(true).open(&full);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .with_context(|| format!("write {path}"))?;
        }
        for (path, text) in &self.changed {
            fs::write(root.join(path), text).with_context(|| format!("write {path}"))?;
        }
        self.format(root)
    }

    /// How long lines get depends on the name.
    fn format(&self, root: &Path) -> anyhow::Result<()> {
        let code = self.created.keys().filter(|path| tree::is_rust(path));
        let status =
            Command::new("rustfmt").args(["--edition", "2024"]).args(code).current_dir(root).status();
        ensure!(status.context("run rustfmt")?.success(), "rustfmt failed");
        Ok(())
    }
}

/// What lines of a table are sorted by: modules by their name, however many may see them.
fn key(line: &str) -> &str {
    let line = line.trim_start();
    line.strip_prefix("pub(crate) ").filter(|rest| rest.starts_with("mod ")).unwrap_or(line)
}
