//! What `ADD` fetches: files by address, and Git repositories.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kiln_build::dockerfile::Remote;
use kiln_fetch::{Downloader, Options};
use kiln_finding::Class;
use kiln_oci::Digest;
use kiln_rootfs::{Content, Tree};
use kiln_sandbox::collect_with;

use crate::failure::Failure;
use crate::scratch::io;

/// The largest file that is fetched, in bytes.
const FILE_MAX: u64 = 4 << 30;

/// A file from the network, checked where a checksum is given.
pub(super) fn file(
    remote: &Remote<'_>,
    offline: bool,
    cache_dir: &Path,
    scratch: &Path,
) -> Result<Tree, Failure> {
    let path = remote.address.split(['?', '#']).next().unwrap_or_default();
    let after_host = path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    let name = after_host.unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Err(Failure::new(
            "build.remote",
            Class::Config,
            format!("ADD {}: the address ends with no file name", remote.address),
        )
        .with_help("name the file in the destination's folder with an address that ends with its name"));
    }
    let downloader = Downloader::new(Options { offline, ..Options::new(cache_dir) })?;
    let bytes = downloader.document(&[remote.address.to_owned()], None, FILE_MAX)?;
    if let Some(checksum) = remote.checksum {
        check(remote.address, checksum, &bytes)?;
    }
    let place = scratch.join(Digest::of(remote.address.as_bytes()).hex());
    std::fs::create_dir_all(scratch).map_err(|error| io("create", scratch, &error))?;
    std::fs::write(&place, &bytes).map_err(|error| io("write", &place, &error))?;
    let content = Content::Disk { path: place.into(), size: bytes.len() as u64 };
    let mut tree = Tree::new();
    let entry =
        kiln_rootfs::Entry { attrs: kiln_rootfs::Attrs::root(0o600), kind: kiln_rootfs::Kind::File(content) };
    tree.insert(kiln_rootfs::RootPath::normalise(name)?, entry)?;
    Ok(tree)
}

fn check(address: &str, checksum: &str, bytes: &[u8]) -> Result<(), Failure> {
    let promised: Digest = checksum.parse().map_err(|error| {
        Failure::new("build.checksum", Class::Config, format!("read --checksum={checksum}"))
            .with_cause(format!("{error}"))
    })?;
    let got = Digest::of(bytes);
    if got == promised {
        return Ok(());
    }
    Err(Failure::new(
        "build.checksum",
        Class::Content,
        format!("ADD {address}: it is not what --checksum promises"),
    )
    .with_cause(format!("promised {promised}, got {got}"))
    .with_help("somebody changed the file: look why before you change the checksum"))
}

/// A Git repository: `ADDRESS[#REF[:SUBDIR]]`.
pub(super) fn git(remote: &Remote<'_>, scratch: &Path) -> Result<Tree, Failure> {
    let (address, fragment) = remote.address.split_once('#').unwrap_or((remote.address, ""));
    let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
    let clone = scratch.join(Digest::of(remote.address.as_bytes()).hex());
    std::fs::create_dir_all(&clone).map_err(|error| io("create", &clone, &error))?;
    run(&clone, &["init", "--quiet"])?;
    let wanted = if reference.is_empty() { "HEAD" } else { reference };
    run(&clone, &["fetch", "--quiet", "--depth=1", "--", address, wanted]).or_else(|shallow| {
        // Not every server gives a commit by its name alone.
        run(&clone, &["fetch", "--quiet", "--tags", "--", address, "+refs/heads/*:refs/heads/*"])
            .map_err(|_| shallow)
    })?;
    let fetched = if run(&clone, &["rev-parse", "--verify", "--quiet", &format!("{wanted}^{{commit}}")])
        .is_ok()
        && !reference.is_empty()
    {
        wanted.to_owned()
    } else {
        "FETCH_HEAD".to_owned()
    };
    run(&clone, &["-c", "advice.detachedHead=false", "checkout", "--quiet", &fetched])?;
    run(&clone, &["submodule", "update", "--init", "--recursive", "--depth=1", "--quiet"])?;
    if let Some(promised) = remote.checksum {
        let commit = run(&clone, &["rev-parse", "HEAD"])?;
        if promised.len() < SHORTEST_COMMIT || !commit.trim().starts_with(promised) {
            let what = format!("ADD {address}: it is not the commit that --checksum promises");
            return Err(Failure::new("build.checksum", Class::Content, what)
                .with_cause(format!("promised {promised}, got {}", commit.trim())));
        }
    }
    let top = clone.join(folder.trim_matches('/'));
    let inside =
        top.canonicalize().ok().filter(|top| clone.canonicalize().is_ok_and(|clone| top.starts_with(clone)));
    let Some(top) = inside.filter(|top| top.is_dir()) else {
        let what = format!("ADD {address}: there is no folder `{folder}` in it");
        return Err(Failure::new("build.remote", Class::Config, what));
    };
    let keep_git = remote.keep_git_dir;
    Ok(collect_with(&top, &mut |path, _| keep_git || path.file_name() != ".git")?)
}

/// Fewer digits name no commit.
const SHORTEST_COMMIT: usize = 7;

fn run(folder: &PathBuf, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git")
        // Nothing of the user's configuration decides what is fetched, and nobody is asked for a password.
        .args(["-c", "protocol.file.allow=always", "-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .output();
    let failed = |cause: String| {
        Failure::new("build.git", Class::Remote { transient: true }, format!("run git {}", arguments[0]))
            .with_cause(cause)
    };
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(failed(error.to_string()).with_help("is git installed?")),
    }
}
