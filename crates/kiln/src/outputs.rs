//! Where a finished image goes besides kiln's own store.

use std::str::FromStr;

use kiln_executor::Progress as _;
use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Place, deliver};
use kiln_oci::Descriptor;
use kiln_store::Layout;

use crate::progress::Stages;

/// What a target may begin with.
const KINDS: [&str; 4] = ["oci", "oci-archive", "docker-archive", "docker"];

/// `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE` or `docker:NAME`.
#[derive(Clone, Debug)]
pub(crate) struct Target(String);

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((kind, rest)) if KINDS.contains(&kind) && !rest.is_empty() => Ok(Self(text.to_owned())),
            _ => {
                Err(format!("`{text}` is no output; write oci:DIR, oci-archive:FILE or docker-archive:FILE"))
            }
        }
    }
}

impl Target {
    /// The Docker daemon, under the image's own name.
    fn daemon() -> Self {
        Self("docker:".to_owned())
    }

    /// The file that `docker load` takes.
    pub(crate) fn docker_archive(&self) -> Option<&str> {
        self.0.strip_prefix("docker-archive:")
    }

    /// Whether an image is known there by its name alone.
    fn needs_name(&self) -> bool {
        self.0.starts_with("docker")
    }

    /// Writes an image there, with its statements where it can hold them. Yields where it is.
    fn write(&self, layout: &Layout, image: &Descriptor, name: &str) -> Result<String, Failure> {
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let unknown = || Failure::usage(format!("write to {}: it is no output", self.0));
        let open = CopyTarget::local(&self.0, repository, Some(tag))?.ok_or_else(unknown)?;
        let along = Along { referrers: true, tags: true, index: None };
        Ok(deliver(&Place::Layout(layout.clone()), image, open, along, &|_| {})?.shown)
    }
}

/// Where else an image goes.
#[derive(clap::Args)]
pub(crate) struct Outputs {
    /// Write the image here too: oci:DIR, oci-archive:FILE or docker-archive:FILE
    #[arg(long = "output", short = 'o', value_name = "TARGET")]
    pub(crate) targets: Vec<Target>,
    /// Load the image into the Docker daemon too
    #[arg(long)]
    pub(crate) load: bool,
}

impl Outputs {
    /// Refuses what cannot end well, before anything is built.
    pub(crate) fn fit(&self, has_name: bool) -> Result<(), Failure> {
        if has_name || !(self.load || self.targets.iter().any(Target::needs_name)) {
            return Ok(());
        }
        let what = "hand the image to Docker: it has no name, and Docker knows images by their names";
        Err(Failure::usage(what).with_help("name it with --tag NAME:TAG"))
    }

    /// Writes an image to each.
    pub(crate) fn deliver(
        &self,
        layout: &Layout,
        image: &Descriptor,
        name: &str,
        stages: &Stages,
    ) -> Result<(), Failure> {
        for target in &self.targets {
            stages.start("write", "writing");
            let place = target.write(layout, image, name)?;
            stages.done(&place);
        }
        if self.load {
            stages.start("load", "sending the image to the Docker daemon");
            Target::daemon().write(layout, image, name)?;
            stages.done(&format!("{name} is in the Docker daemon"));
        }
        Ok(())
    }
}
