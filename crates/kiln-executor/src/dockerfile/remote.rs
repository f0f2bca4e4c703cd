//! Files that `ADD` fetches by address.

use std::path::Path;
use std::time::{Duration, Instant};

use kiln_build::dockerfile::Remote;
use kiln_disk::{Dir, disk_failure};
use kiln_fetch::{Closed, Downloader, Options};
use kiln_finding::{Class, Failure};
use kiln_images::Machine;
use kiln_oci::Digest;
use kiln_rootfs::Tree;

use crate::spool::Spool;

/// The largest file that is fetched, in bytes.
const FILE_MAX: u64 = 4 << 30;

/// A file from the network, checked where a checksum is given.
pub(super) fn file(
    remote: &Remote<'_>,
    machine: &Machine,
    scratch: &Path,
    limit: Duration,
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
    // A Dockerfile reaches no further by ADD than by RUN.
    let closed = Closed::new(&kiln_sandbox::CLOSED);
    let until = Instant::now() + limit;
    let options = Options::new(&machine.cache_dir);
    let options = Options { offline: machine.offline, closed, until: Some(until), ..options };
    let fetched = Downloader::new(options)?
        .document(&[remote.address.to_owned()], None, FILE_MAX)
        .map_err(Failure::from);
    let bytes = fetched.map_err(|failure| {
        if Instant::now() < until {
            return failure;
        }
        let what = format!("ADD {}: it has not come within {} seconds", remote.address, limit.as_secs());
        let late = Failure::new("build.remote", Class::Remote { transient: true }, what);
        late.with_cause(failure.sentence()).with_help("give it more time with --timeout")
    })?;
    if let Some(checksum) = remote.checksum {
        check(remote.address, checksum, &bytes)?;
    }
    let spool = Spool::new(Dir::create(scratch).map_err(|error| disk_failure("create", scratch, &error))?);
    let content = spool
        .keep(bytes.len() as u64, &mut &bytes[..])
        .map_err(|error| disk_failure("write", scratch, &error))?;
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
