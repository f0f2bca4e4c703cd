#![expect(clippy::print_stdout, reason = "a chore prints what it does")]

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail, ensure};

use crate::{fuzz, recipes, tidy, tree};

/// One thing that must pass before a change is merged.
struct Step {
    name: &'static str,
    run: fn() -> anyhow::Result<()>,
}

/// In this order; what takes long comes last.
static STEPS: &[Step] = &[
    Step { name: "fmt", run: || cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: || tidy::run(&[]) },
    Step { name: "deny", run: deny },
    Step { name: "clippy", run: clippy },
    Step { name: "static", run: static_build },
    Step { name: "replay", run: || fuzz::run(&["--replay".to_owned()]) },
    Step { name: "test", run: || cargo(&["test", "--workspace"]) },
    // What they build on is there now.
    Step { name: "recipes", run: || recipes::run(&[]) },
];

/// All that must pass before a change is merged, or the steps that are named: `cargo xtask ci [STEP…]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let steps = steps(args)?;
    let mut failed = Vec::new();
    for step in steps {
        println!("\n== {}", step.name);
        let started = Instant::now();
        let result = (step.run)();
        let seconds = started.elapsed().as_secs();
        match result {
            Ok(()) => println!("== {}: passed in {seconds} s", step.name),
            Err(error) => {
                println!("{error:#}\n== {}: failed after {seconds} s", step.name);
                failed.push(step.name);
            }
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(" "));
    Ok(())
}

fn steps(args: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    if args.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    let find = |arg: &String| {
        STEPS.iter().find(|step| step.name == arg).with_context(|| {
            let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            format!("there is no step `{arg}`; steps: {}", names.join(" "))
        })
    };
    args.iter().map(find).collect()
}

fn clippy() -> anyhow::Result<()> {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

/// The binary as it is shipped, but for its optimisation, which takes minutes (`cargo xtask dist`): all of it, C parts too,
/// builds and links against musl, and it starts.
fn static_build() -> anyhow::Result<()> {
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let build = cargo(&["build", "--package", "kiln", "--target", &triple]);
    build.with_context(|| format!("is the target there? rustup target add {triple}"))?;
    let program = tree::root().join(format!("target/{triple}/debug/kiln"));
    let run = Command::new(&program).arg("--version").output().context("run the static binary")?;
    ensure!(
        run.status.success(),
        "the static binary does not start: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    print!("{}", String::from_utf8_lossy(&run.stdout));
    Ok(())
}

/// Licences, sources and bans are looked up in the tree; advisories only where their database can be fetched.
fn deny() -> anyhow::Result<()> {
    let found = Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        let missing = "cargo-deny is not installed (cargo install cargo-deny --locked)";
        if std::env::var_os("KILN_CI").is_some() {
            bail!(missing);
        }
        println!("skipped: deny: {missing}");
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
        println!("skipped: deny: the advisory database cannot be fetched here");
        return Ok(());
    }
    println!("{}{said}", String::from_utf8_lossy(&run.stdout));
    ensure!(run.status.success(), "cargo deny check advisories failed");
    Ok(())
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    println!("cargo {}", args.join(" "));
    let status = Command::new("cargo").args(args).current_dir(tree::root()).status().context("run cargo")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{STEPS, steps};

    #[test]
    fn steps_are_found_by_name() {
        let named = steps(&["deny".to_owned(), "fmt".to_owned()]).unwrap();
        assert_eq!(named.iter().map(|step| step.name).collect::<Vec<_>>(), ["deny", "fmt"]);
        assert_eq!(steps(&[]).unwrap().len(), STEPS.len());
        assert!(steps(&["dney".to_owned()]).is_err_and(|error| error.to_string().contains("deny")));
    }
}
