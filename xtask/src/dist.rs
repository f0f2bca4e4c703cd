#![expect(clippy::print_stdout, reason = "a chore prints what it made")]

use std::fs;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::tree;

/// A target that a static binary is built for, and who compiles the C parts (aws-lc, zstd) for it.
struct Target {
    arch: &'static str,
    triple: &'static str,
    compiler: &'static str,
    /// What to install for it, on Debian.
    package: &'static str,
}

static TARGETS: &[Target] = &[
    Target {
        arch: "aarch64",
        triple: "aarch64-unknown-linux-musl",
        compiler: "aarch64-linux-gnu-gcc",
        package: "gcc-aarch64-linux-gnu",
    },
    Target {
        arch: "x86_64",
        triple: "x86_64-unknown-linux-musl",
        compiler: "musl-gcc",
        package: "musl-tools",
    },
];

/// Builds the static binary that is shipped: `cargo xtask dist [--target x86_64|aarch64]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let wanted = match args {
        [] => std::env::consts::ARCH,
        [flag, arch] if flag == "--target" => arch,
        _ => bail!("usage: cargo xtask dist [--target x86_64|aarch64]"),
    };
    let target = TARGETS
        .iter()
        .find(|target| wanted == target.arch || wanted == target.triple)
        .with_context(|| format!("there is no static build for {wanted}"))?;
    let has_compiler =
        Command::new(target.compiler).arg("--version").output().is_ok_and(|run| run.status.success());
    ensure!(has_compiler, "{} is missing: apt-get install {}", target.compiler, target.package);
    let status = Command::new("cargo")
        .args(["build", "--profile", "dist", "--package", "kiln", "--target", target.triple])
        .current_dir(tree::root())
        .status()
        .context("run cargo")?;
    ensure!(status.success(), "the build failed; is the target there? rustup target add {}", target.triple);
    let path = format!("target/{}/dist/kiln", target.triple);
    let bytes = fs::metadata(tree::root().join(&path)).with_context(|| format!("look at {path}"))?.len();
    println!("{path}: {:.1} MB", bytes as f64 / 1e6);
    Ok(())
}
