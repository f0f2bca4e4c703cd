//! The bases of a build: which lock pins them, and where they lie once composed.

use std::path::Path;

use kiln_base::{Distribution, Lock, Request, Tool, Variant};
use kiln_build::Key;
use kiln_build::app::BaseImage;
use kiln_finding::{Class, Failure};
use kiln_image::{Image, PackedLayer, Source};
use kiln_node::Manager;
use kiln_oci::{Arch, Descriptor, Digest};
use kiln_plan::Plan;
use kiln_sandbox::unpack;
use kiln_store::{Layout, StepCache};

use crate::base::{self, Supply};

/// The lock file beside `package.json`.
const LOCK: &str = "kiln.lock";
/// The file of yarn's package that runs, and that corepack hashes.
const YARN_PROGRAM: &str = "bin/yarn.js";
/// Changes when the same lock is composed into something else.
const COMPOSITION: &str = "1";

/// The bases that a lock pins.
pub(crate) struct Bases<'a> {
    pub(crate) lock: Lock,
    pub(crate) arch: Arch,
    /// Where commands run: this machine's.
    host: Arch,
    supply: &'a Supply,
    layout: &'a Layout,
    steps: &'a StepCache,
    /// What the app says that the yarn of the builder is.
    hash: Option<String>,
}

/// The lock of a project, and whether it was written now.
pub(crate) struct Locked {
    pub(crate) lock: Lock,
    pub(crate) written: bool,
}

/// Reads the lock of a project, or writes one where there is none that fits the plan. `frozen` forbids that.
pub(crate) fn lock(
    project: &Path,
    plan: &Plan,
    settings: &base::BaseSettings,
    archs: &[Arch],
    supply: &Supply,
    frozen: bool,
) -> Result<Locked, Failure> {
    let path = project.join(LOCK);
    let mut request = request(plan, settings, archs)?;
    if path.exists() {
        let text = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX).map_err(|error| {
            Failure::new("kiln.read", Class::Environment, format!("read {}", path.display()))
                .with_cause(error.to_string())
        })?;
        let lock = Lock::read(&text)?;
        match misfit(&lock, &request) {
            None => return Ok(Locked { lock, written: false }),
            Some(why) if frozen => {
                return Err(Failure::new(
                    "kiln.lock",
                    Class::Config,
                    format!("use {}: {why}", path.display()),
                )
                .with_help("run without --locked to lock again"));
            }
            // What the old lock served is served by the new one, too.
            Some(_) => request.archs.extend(lock.debs.iter().map(|deb| deb.arch)),
        }
        request.archs.sort();
        request.archs.dedup();
    } else if frozen {
        return Err(Failure::new("kiln.lock", Class::Config, format!("find {}", path.display()))
            .with_help("run without --locked to write it"));
    }
    let lock = kiln_base::resolve(&request, supply, kiln_images::clock::now())?;
    // A folder that cannot be written to is no reason not to ship from it.
    let written = kiln_store::replace_file(&path, lock.render().as_bytes()).is_ok();
    Ok(Locked { lock, written })
}

fn request(plan: &Plan, settings: &base::BaseSettings, archs: &[Arch]) -> Result<Request, Failure> {
    let mut request = Request { node: plan.node, ..Request::new(archs.to_vec()) };
    if let Some(release) = &settings.distribution {
        request.distribution = release.parse::<Distribution>().map_err(Failure::usage)?;
    }
    if let Some(version) = &plan.manager_version {
        let tool = match plan.manager {
            Manager::Npm => Tool::Npm,
            Manager::Pnpm => Tool::Pnpm,
            Manager::Yarn if plan.linker.is_some() => Tool::Berry,
            Manager::Yarn => Tool::Yarn,
            Manager::Bun => Tool::Bun,
        };
        request.tools.insert(tool, version.clone());
    }
    Ok(request)
}

/// Why a lock does not serve a request; `None` where it does.
fn misfit(lock: &Lock, request: &Request) -> Option<String> {
    if lock.node != request.node {
        return Some(format!("it pins Node {}, and the app wants {}", lock.node, request.node));
    }
    if lock.distribution != request.distribution {
        return Some(format!("it pins Debian {}, not {}", lock.distribution, request.distribution));
    }
    let arch = request.archs.iter().find(|&&arch| !lock.debs.iter().any(|deb| deb.arch == arch));
    if let Some(arch) = arch {
        return Some(format!("it pins nothing for {arch}"));
    }
    request.tools.iter().find_map(|(tool, version)| {
        let name = request.archs.iter().map(|arch| tool.name(*arch)).find(|name| {
            lock.npm.iter().find(|pin| pin.name == *name).is_none_or(|pin| pin.version != *version)
        })?;
        Some(format!("the app pins {name} {version}, and it does not"))
    })
}

impl<'a> Bases<'a> {
    pub(crate) fn new(
        lock: Lock,
        (arch, host): (Arch, Arch),
        supply: &'a Supply,
        layout: &'a Layout,
        steps: &'a StepCache,
    ) -> Self {
        Self { lock, arch, host, supply, layout, steps, hash: None }
    }

    /// Holds yarn 2 and newer to the hash that the app gives for it.
    pub(crate) fn holding(self, plan: &Plan) -> Self {
        Self { hash: plan.manager_hash.clone().filter(|_| plan.linker.is_some()), ..self }
    }

    /// `kiln/node:24-debian13`
    pub(crate) fn name(&self) -> String {
        format!("kiln/node:{}-debian{}", self.lock.node, self.lock.distribution)
    }

    /// The version of Node that is pinned.
    pub(crate) fn node_version(&self) -> &str {
        self.lock.npm.iter().find(|pin| pin.name.starts_with("node-")).map_or("", |pin| &pin.version)
    }

    /// The base that is shipped: from the store, or composed into it.
    pub(crate) fn runtime(&self) -> Result<BaseImage, Failure> {
        let key = self.key(Variant::Runtime, self.arch);
        if let Some(record) = self.steps.get(&key)?
            && let Ok((manifest, layers)) = serde_json::from_slice::<(Descriptor, Vec<PackedLayer>)>(&record)
            && layers.iter().all(|layer| self.has(&layer.descriptor))
            && self.has(&manifest)
        {
            return self.image(&manifest, layers);
        }
        let base = kiln_base::compose(&self.lock, self.arch, Variant::Runtime, self.supply)?;
        let packed = base::write(&base, &self.lock, self.layout, None)?;
        let manifest = packed.descriptor();
        if self.arch == self.host {
            self.layout.publish_as(&manifest, &self.name(), &self.name())?;
        }
        let record =
            serde_json::to_vec(&(&manifest, &packed.layers)).expect("a record holds only texts and numbers");
        self.steps.put(&key, &record)?;
        self.image(&manifest, packed.layers)
    }

    fn has(&self, content: &Descriptor) -> bool {
        kiln_image::Sink::has(self.layout, content).unwrap_or(false)
    }

    fn image(&self, manifest: &Descriptor, layers: Vec<PackedLayer>) -> Result<BaseImage, Failure> {
        let image = Image::read(self.layout as &dyn Source<Error = kiln_store::Error>, manifest)?;
        Ok(BaseImage { name: self.name(), digest: manifest.digest, layers, config: image.config })
    }

    /// Names the builder, without composing it.
    pub(crate) fn builder_digest(&self, native: bool) -> Digest {
        let key = self.key(builder(native), self.host);
        match &self.hash {
            // One that was made for another hash was not held to this one.
            Some(hash) => Key::new("held base").field("base", key.as_bytes()).field("hash", hash).finish(),
            None => key,
        }
    }

    /// Composes the builder into a folder.
    pub(crate) fn make_builder(&self, native: bool, folder: &Path) -> Result<(), Failure> {
        if let Some(hash) = &self.hash {
            let name = Tool::Berry.name(self.host);
            let pin = self.lock.npm.iter().find(|pin| pin.name == name);
            pin.map_or(Ok(()), |pin| kiln_base::check_program(pin, YARN_PROGRAM, hash, self.supply))?;
        }
        let base = kiln_base::compose(&self.lock, self.host, builder(native), self.supply)?;
        for layer in base.layers {
            let mut tree = layer.tree;
            for (path, mode) in
                [("app", 0o755), ("root", 0o700), ("tmp", 0o1777), ("proc", 0o555), ("dev", 0o755)]
            {
                tree.insert_dir(path, mode)?;
            }
            for file in ["etc/resolv.conf", "etc/hosts", "etc/ssl/certs/kiln-machine.crt"] {
                tree.insert_file(file, 0o644, *b"")?;
            }
            unpack(&tree, folder)?;
        }
        Ok(())
    }

    fn key(&self, variant: Variant, arch: Arch) -> Digest {
        Key::new("base")
            .field("composition", COMPOSITION)
            .field("kiln", env!("CARGO_PKG_VERSION"))
            .field("lock", self.lock.render())
            .field("arch", arch.as_str())
            .field("variant", format!("{variant:?}"))
            .finish()
    }
}

fn builder(native: bool) -> Variant {
    if native { Variant::Native } else { Variant::Dev }
}
