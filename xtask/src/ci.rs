#![expect(clippy::print_stdout, reason = "a chore prints what it does")]

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::{tidy, tree};

/// All that must pass before a change is merged.
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    println!("\n== tidy");
    tidy::run(&[])?;
    cargo(&["test", "--workspace"])?;
    deny()
}

fn deny() -> anyhow::Result<()> {
    let found = Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        println!(
            "\n== deny: skipped, because cargo-deny is not installed (cargo install cargo-deny --locked)"
        );
        return Ok(());
    }
    cargo(&["deny", "check", "bans", "licenses", "sources"])?;
    println!("\n== cargo deny check advisories");
    let run = Command::new("cargo")
        .args(["deny", "check", "advisories"])
        .current_dir(tree::root())
        .output()
        .context("run cargo")?;
    let said = String::from_utf8_lossy(&run.stderr);
    if said.contains("failed to fetch advisory database") {
        println!("skipped, because the advisory database cannot be fetched here");
        return Ok(());
    }
    println!("{}{said}", String::from_utf8_lossy(&run.stdout));
    ensure!(run.status.success(), "cargo deny check advisories failed");
    Ok(())
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    println!("\n== cargo {}", args.join(" "));
    let status = Command::new("cargo").args(args).current_dir(tree::root()).status().context("run cargo")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}
