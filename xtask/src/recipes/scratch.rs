use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::tree;

/// A copy of the project in `target/recipes`, which git takes for a project of its own.
///
/// It is built where the project is, so that no dependency is built twice; finished programs go elsewhere, for they have the names of
/// the project's. Cargo tells crates in that folder apart by where they are below their workspace, and by how they are built: so the
/// copy is built with another value of `CARGO_INCREMENTAL`, which counts for crates of a workspace alone.
pub(super) struct Scratch {
    root: PathBuf,
    target: PathBuf,
    build: PathBuf,
}

/// What is not as it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) files: usize,
    pub(super) lines: usize,
    pub(super) taken: usize,
}

impl Scratch {
    /// Files that are as they were stay untouched, so that they are not built again.
    pub(super) fn copy() -> anyhow::Result<Self> {
        // Below the root, unless it is somewhere else altogether.
        let build = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let build = tree::root().join(build);
        let (root, target) = (build.join("recipes/project"), build.join("recipes/target"));
        let scratch = Self { root, target, build };
        let paths = tree::paths()?;
        for path in &paths {
            copy(&tree::root().join(path), &scratch.root.join(path))
                .with_context(|| format!("copy {path}"))?;
        }
        if !scratch.root.join(".git").exists() {
            scratch.git(&["init", "--quiet"])?;
        }
        scratch.remove_others(&paths)?;
        scratch.keep()?;
        Ok(scratch)
    }

    fn remove_others(&self, paths: &BTreeSet<String>) -> anyhow::Result<()> {
        for path in self.listed()?.iter().filter(|path| !paths.contains(*path)) {
            let full = self.root.join(path);
            if full.exists() {
                fs::remove_file(&full).with_context(|| format!("remove {path}"))?;
            }
        }
        Ok(())
    }

    fn listed(&self) -> anyhow::Result<BTreeSet<String>> {
        let listed = self.git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        Ok(listed.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Takes all as it is for how it is to be.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        self.git(&["add", "--all"]).map(drop)
    }

    /// What is not as it was kept.
    pub(super) fn touched(&self) -> anyhow::Result<Touched> {
        let files = self.git(&["ls-files", "--others", "--exclude-standard"])?.lines().count();
        let mut touched = Touched { files, ..Touched::default() };
        for line in self.git(&["diff", "--numstat"])?.lines() {
            let mut numbers = line.split('\t').map(str::parse::<usize>);
            let (Some(Ok(added)), Some(Ok(taken))) = (numbers.next(), numbers.next()) else { continue };
            touched.lines += added;
            touched.taken += taken;
        }
        Ok(touched)
    }

    pub(super) fn cargo(&self, args: &[&str]) -> anyhow::Result<()> {
        let status = Command::new("cargo")
            .args(args)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_BUILD_BUILD_DIR", &self.build)
            .env("CARGO_INCREMENTAL", if is_incremental() { "0" } else { "1" })
            .status()
            .context("run cargo")?;
        ensure!(status.success(), "in {}: cargo {} failed", self.root.display(), args.join(" "));
        Ok(())
    }

    fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        let run = Command::new("git").args(args).current_dir(&self.root).output().context("run git")?;
        ensure!(run.status.success(), "git {}: {}", args.join(" "), String::from_utf8_lossy(&run.stderr));
        Ok(String::from_utf8(run.stdout)?)
    }
}

/// Whether the project itself is built like that. Cargo's default for what is developed.
fn is_incremental() -> bool {
    std::env::var_os("CARGO_INCREMENTAL").is_none_or(|value| value != "0")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let (bytes, mode) = (fs::read(from)?, fs::metadata(from)?.permissions().mode());
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}
