//! Git repositories that `ADD` fetches.

use std::path::Path;
use std::time::{Duration, Instant};

use kiln_build::dockerfile::Remote;
use kiln_disk::{Dir, disk_failure};
use kiln_finding::{Class, Failure};
use kiln_oci::Digest;
use kiln_rootfs::{RootPath, Tree};
use kiln_sandbox::collect_in;

use crate::git::git;

/// Fewer digits name no commit.
const SHORTEST_COMMIT: usize = 7;
/// How repositories are reached, submodules among them; everything else is refused, above all files of this machine.
const PROTOCOLS: &str = "https:ssh:git";
/// How much it may print, in bytes.
const OUTPUT_MAX: usize = 1 << 20;
/// A Git repository: `ADDRESS[#REF[:SUBDIR]]`.
pub(super) fn fetch(remote: &Remote<'_>, scratch: &Path, limit: Duration) -> Result<Tree, Failure> {
    let until = Instant::now() + limit;
    let (address, fragment) = remote.address.split_once('#').unwrap_or((remote.address, ""));
    let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
    check_protocol(address)?;
    let place = scratch.join(Digest::of(remote.address.as_bytes()).hex());
    let clone = Dir::create(&place).map_err(|error| disk_failure("create", &place, &error))?;
    let run = |arguments: &[&str]| run(&place, arguments, until);
    run(&["init", "--quiet"])?;
    // Addresses of submodules may be relative to that of the repository.
    run(&["remote", "add", "--", "origin", address])?;
    let wanted = if reference.is_empty() { "HEAD" } else { reference };
    run(&["fetch", "--quiet", "--depth=1", "--", "origin", wanted]).or_else(|shallow| {
        // Not every server gives a commit by its name alone.
        run(&["fetch", "--quiet", "--tags", "--", "origin", "+refs/heads/*:refs/heads/*"])
            .map_err(|_| shallow)
    })?;
    let commit = |name: &str| {
        let name = format!("{name}^{{commit}}");
        run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
    };
    let known = if reference.is_empty() { None } else { commit(wanted).ok() };
    let commit = known.map_or_else(|| commit("FETCH_HEAD"), Ok)?;
    run(&["checkout", "--quiet", "--detach", commit.trim()])?;
    run(&["submodule", "update", "--init", "--recursive", "--depth=1", "--quiet"])?;
    if let Some(promised) = remote.checksum {
        check_commit(address, promised, commit.trim())?;
    }
    let top = RootPath::normalise(folder).ok().and_then(|folder| clone.sub_in_root(&folder).ok());
    let Some(top) = top else {
        let what = format!("ADD {address}: there is no folder `{folder}` in it");
        return Err(Failure::new("build.remote", Class::Config, what));
    };
    let keep_git = remote.keep_git_dir;
    Ok(collect_in(&top, &mut |path, _| keep_git || path.file_name() != ".git")?)
}

fn check_protocol(address: &str) -> Result<(), Failure> {
    let is_allowed = match address.split_once("://") {
        Some((protocol, _)) => PROTOCOLS.split(':').any(|allowed| allowed == protocol),
        // `git@host:path`; what begins with a dash would be an option.
        None => address.starts_with("git@") && address.contains(':'),
    };
    if is_allowed {
        return Ok(());
    }
    let what = format!("ADD {address}: repositories are fetched by https, ssh and git:// only");
    Err(Failure::new("build.remote", Class::Config, what)
        .with_help("for a repository on this machine, name its folder with --build-context and copy from it"))
}

fn check_commit(address: &str, promised: &str, commit: &str) -> Result<(), Failure> {
    if promised.len() >= SHORTEST_COMMIT && commit.starts_with(promised) {
        return Ok(());
    }
    let what = format!("ADD {address}: it is not the commit that --checksum promises");
    Err(Failure::new("build.checksum", Class::Content, what)
        .with_cause(format!("promised {promised}, got {commit}")))
}

/// What is not done by then is given up.
fn run(folder: &Path, arguments: &[&str], until: Instant) -> Result<String, Failure> {
    let what = format!("run git {}", arguments[0]);
    let failed = |cause: String| {
        Failure::new("build.git", Class::Remote { transient: true }, what.clone()).with_cause(cause)
    };
    let call = git(folder, arguments).env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
    let ended = call.limit(until.saturating_duration_since(Instant::now())).most(OUTPUT_MAX).run().map_err(
        |error| match error {
            kiln_program::Error::Start { ref source, .. } => {
                failed(source.to_string()).with_help("is git installed?")
            }
            error @ kiln_program::Error::Late { .. } => {
                failed(error.to_string()).with_help("give it more time with --timeout")
            }
            error => failed(error.to_string()),
        },
    )?;
    if !ended.is_success() {
        return Err(failed(ended.told()));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
