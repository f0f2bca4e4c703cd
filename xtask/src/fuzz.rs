#![expect(clippy::print_stdout, reason = "a chore prints what it found")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::tree;

const USAGE: &str = "usage: cargo xtask fuzz [--replay] [--seconds N] [TARGET…]";
/// Seconds for each target.
const SECONDS: u32 = 60;
/// One input that takes longer hangs.
const INPUT_SECONDS: u32 = 25;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    replay: bool,
    seconds: u32,
    targets: Vec<String>,
}

/// Feeds hostile bytes to every target for a while, or replays the inputs that are kept in `fuzz/kept`.
///
/// Fuzzing needs a nightly toolchain and cargo-fuzz; replaying needs neither, but a C++ compiler (for libFuzzer).
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let folder = tree::root().join("fuzz");
    let known = targets(&folder)?;
    let wanted = wanted(args, &known)?;
    if wanted.replay { replay(&folder, &wanted.targets) } else { fuzz(&folder, &wanted) }
}

fn wanted(args: &[String], known: &[String]) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted { replay: false, seconds: SECONDS, targets: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--replay" => wanted.replay = true,
            "--seconds" => {
                let seconds = args.next().and_then(|seconds| seconds.parse().ok());
                // libFuzzer takes 0 for no limit.
                wanted.seconds = seconds.filter(|seconds| *seconds > 0).context(USAGE)?;
            }
            name if known.iter().any(|target| target == name) => wanted.targets.push(name.to_owned()),
            _ => bail!("there is no target `{arg}`\n{USAGE}\ntargets: {}", known.join(" ")),
        }
    }
    if wanted.targets.is_empty() {
        wanted.targets = known.to_vec();
    }
    Ok(wanted)
}

/// The names of all targets.
fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for path in files(&folder.join("fuzz_targets"))? {
        let name = path.file_stem().and_then(OsStr::to_str).context("a target with an odd name")?;
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The files of a folder in the order of their names; none where there is no folder.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Runs each kept input once, with the toolchain of the project.
fn replay(folder: &Path, targets: &[String]) -> anyhow::Result<()> {
    let manifest = folder.join("Cargo.toml");
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--bins", "--manifest-path"]).arg(manifest);
    let built = folder.join("target");
    let status = build.arg("--target-dir").arg(&built).status().context("run cargo")?;
    ensure!(status.success(), "the fuzz targets do not build");
    let (mut failed, mut count) = (Vec::new(), 0);
    for target in targets {
        let inputs = files(&folder.join("kept").join(target))?;
        // A program of libFuzzer without inputs would look for new ones.
        ensure!(!inputs.is_empty(), "fuzz/kept/{target} has no input; run `cargo xtask fuzz {target}`");
        let run = Command::new(built.join("debug").join(target)).args(&inputs).output();
        let run = run.with_context(|| format!("run {target}"))?;
        let said = String::from_utf8_lossy(&run.stderr);
        let done = said.lines().filter(|line| line.starts_with("Executed ")).count();
        count += done;
        if !run.status.success() || done != inputs.len() {
            println!("{said}");
            failed.push(target.as_str());
        }
    }
    ensure!(failed.is_empty(), "kept inputs fail: {}", failed.join(" "));
    println!("{count} kept inputs of {} targets", targets.len());
    Ok(())
}

/// Looks for new inputs, each target for some seconds, and says how many were tried.
fn fuzz(folder: &Path, wanted: &Wanted) -> anyhow::Result<()> {
    let found = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    ensure!(
        found.is_ok_and(|run| run.status.success()),
        "this needs a nightly toolchain and cargo-fuzz: rustup toolchain install nightly; cargo install cargo-fuzz --locked"
    );
    let root = tree::root();
    let build = Command::new("cargo").args(["+nightly", "fuzz", "build"]).current_dir(&root).status();
    ensure!(build.context("run cargo")?.success(), "the fuzz targets do not build");
    let mut failed = Vec::new();
    for target in &wanted.targets {
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
        let mut run = Command::new("cargo");
        run.args(["+nightly", "fuzz", "run", target]).arg(&corpus).current_dir(&root);
        let kept = folder.join("kept").join(target);
        if kept.exists() {
            run.arg(kept);
        }
        let limits = [
            format!("-max_total_time={}", wanted.seconds),
            format!("-timeout={INPUT_SECONDS}"),
            "-print_final_stats=1".to_owned(),
        ];
        let run = run.arg("--").args(limits).output().context("run cargo")?;
        let said = String::from_utf8_lossy(&run.stderr);
        if run.status.success() {
            println!("{target}: {} runs", runs(&said).context("libFuzzer did not say how many runs")?);
        } else {
            println!("{said}\n{target}: failed\n{}", advice(target, &said));
            failed.push(target.as_str());
        }
    }
    ensure!(failed.is_empty(), "inputs were found that fail: {}", failed.join(" "));
    Ok(())
}

/// How many inputs were tried, by the statistics that libFuzzer ends with.
fn runs(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

/// How an input that fails is kept.
fn advice(target: &str, said: &str) -> String {
    let Some(path) = said.lines().find_map(|line| line.split_once("Test unit written to ")) else {
        return "no input was written".to_owned();
    };
    let name = path.1.rsplit('/').next().unwrap_or_default();
    format!(
        "once it is mended, keep it: cp fuzz/artifacts/{target}/{name} fuzz/kept/{target}/NAME-THAT-SAYS-WHAT"
    )
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, Wanted, advice, files, runs, targets, wanted};
    use crate::tree;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn arguments_are_read() {
        let known = words("archive lint");
        let all = Wanted { replay: false, seconds: SECONDS, targets: known.clone() };
        assert_eq!(wanted(&[], &known).unwrap(), all);
        let one = Wanted { replay: true, seconds: 5, targets: words("lint") };
        assert_eq!(wanted(&words("--replay lint --seconds 5"), &known).unwrap(), one);
        for wrong in ["--seconds", "--seconds 0", "--seconds soon", "lintel"] {
            assert!(wanted(&words(wrong), &known).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_libfuzzer_says_is_read() {
        assert_eq!(runs("Done 9 runs\nstat::number_of_executed_units: 4711\nstat::x: 1"), Some(4711));
        assert_eq!(runs("nothing"), None);
        let said = "artifact_prefix='./'; Test unit written to /x/fuzz/artifacts/lint/crash-1f\nBase64: AA==";
        assert!(advice("lint", said).contains("cp fuzz/artifacts/lint/crash-1f fuzz/kept/lint/"));
    }

    /// Every target is a program of the manifest, and has inputs to replay; nothing is kept for a target that is gone.
    #[test]
    fn targets_are_complete() {
        let folder = tree::root().join("fuzz");
        let manifest: toml::Table =
            toml::from_str(&std::fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let programs = manifest["bin"].as_array().unwrap().iter();
        let programs: Vec<_> = programs.map(|program| program["name"].as_str().unwrap().to_owned()).collect();
        let targets = targets(&folder).unwrap();
        assert_eq!(programs, targets);
        let kept = files(&folder.join("kept")).unwrap();
        let kept: Vec<_> = kept.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(kept, targets);
    }
}
