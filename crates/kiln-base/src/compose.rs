mod check;
mod files;
mod node;
mod pattern;
mod root;
mod tools;

pub use tools::check_program;

use std::collections::BTreeMap;

use kiln_oci::{Arch, ContainerConfig};
use kiln_rootfs::Tree;
use kiln_text::Checksum;

use crate::deb;
use crate::error::Error;
use crate::lock::{Lock, NpmPin, Use};
use crate::recipe::RECIPE;
use crate::resolve::{Tool, node_package};
use crate::source::{Fetch, Item};
use pattern::Filter;

/// What a base is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// To be shipped: Node and what it needs; no shell, no package manager.
    Runtime,
    /// To build: a shell, and npm, pnpm and yarn.
    Dev,
    /// To build native addons: a compiler and Python besides.
    Native,
}

impl Variant {
    fn wanted(self) -> Use {
        match self {
            Self::Runtime => Use::Runtime,
            Self::Dev => Use::Dev,
            Self::Native => Use::Native,
        }
    }
}

/// One layer to be.
#[derive(Debug)]
pub struct Layer {
    /// What the history of the image says of it.
    pub comment: String,
    /// Its files.
    pub tree: Tree,
}

/// Something that was put into a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from: `deb` or `npm`.
    pub origin: &'static str,
    /// The checksum of the package it was taken from.
    pub integrity: Checksum,
}

/// A composed base.
#[derive(Debug)]
pub struct Base {
    /// The architecture.
    pub arch: Arch,
    /// What it is for.
    pub variant: Variant,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// What is in it, by origin and name.
    pub components: Vec<Component>,
    /// The version of Node.
    pub node_version: String,
    /// Whether symbols and debugging data were taken out of the Node binary.
    pub node_stripped: bool,
    /// How a container of it runs.
    pub config: ContainerConfig,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
}

/// The package managers of a builder. What an app asks for takes the place of a program of the same name.
fn tools(lock: &Lock, arch: Arch) -> Result<Vec<&NpmPin>, Error> {
    let always = Tool::ALL.iter().map(|tool| lock.npm_package(tool.name(arch)));
    let asked = Tool::ASKED.iter().filter_map(|tool| lock.npm_package(tool.name(arch)).ok());
    always.chain(asked.map(Ok)).collect()
}

/// Composes the base that `lock` pins, for one architecture and purpose.
pub fn compose(lock: &Lock, arch: Arch, variant: Variant, source: &dyn Fetch) -> Result<Base, Error> {
    let node = lock.npm_package(node_package(arch))?;
    let debs = lock.debs_for(arch, variant.wanted())?;
    let tools: Vec<&NpmPin> = match variant {
        Variant::Runtime => Vec::new(),
        _ => tools(lock, arch)?,
    };
    let npm = || std::iter::once(node).chain(tools.iter().copied());
    let items: Vec<Item> = debs.iter().map(|pin| pin.item()).chain(npm().map(NpmPin::item)).collect();
    source.prepare(&items).map_err(Error::fetch("the packages of the base"))?;

    let mut root = root::Root::new(filter(variant), arch)?;
    for pin in &debs {
        let item = pin.item();
        let bytes = crate::resolve::read_checked(&item, source)?;
        root.install(&pin.name, &deb::read(&item.name, &bytes)?)?;
    }
    let mut os = root.finish()?;
    files::place(&mut os, lock.distribution, variant)?;

    let node_files = node::Files::read(node, source)?;
    let node_stripped = node_files.stripped;
    let debian = format!("Debian {} packages", lock.distribution);
    let layers = if variant == Variant::Runtime {
        let upper = node_files.runtime()?;
        check::runtime(&os, &upper)?;
        vec![
            Layer { comment: debian, tree: os },
            Layer { comment: format!("Node {}", node.version), tree: upper },
        ]
    } else {
        node_files.builder(&mut os)?;
        for pin in &tools {
            tools::install(&mut os, pin, source)?;
        }
        check::libraries([&os])?;
        vec![Layer { comment: format!("{debian}, Node {} and its tools", node.version), tree: os }]
    };
    let component = |name: &str, version: &str, origin, integrity| Component {
        name: name.to_owned(),
        version: version.to_owned(),
        origin,
        integrity,
    };
    let from_debian = debs.iter().map(|pin| component(&pin.name, &pin.version, "deb", pin.integrity));
    let from_npm = npm().map(|pin| component(&pin.name, &pin.version, "npm", pin.integrity));
    Ok(Base {
        arch,
        variant,
        layers,
        components: from_debian.chain(from_npm).collect(),
        node_version: node.version.clone(),
        node_stripped,
        config: files::config(variant),
        annotations: BTreeMap::from([(
            "com.google.distroless.nodejs.version".to_owned(),
            node.version.clone(),
        )]),
    })
}

fn filter(variant: Variant) -> Filter {
    match variant {
        Variant::Runtime => Filter::new(&RECIPE.runtime.drop, &RECIPE.runtime.keep),
        _ => Filter::new(&RECIPE.builder.drop, &RECIPE.builder.keep),
    }
}

#[cfg(test)]
mod tests;
