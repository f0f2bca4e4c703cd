//! Where the image lies that a user names.

use std::path::{Path, PathBuf};

use kiln_finding::{Class, Failure};
use kiln_image::Source;
use kiln_oci::{Descriptor, Reference};
use kiln_store::Layout;

use crate::forced::{Forced, forced, unforced};
use crate::located::Located;
use crate::machine::Machine;
use crate::place::Place;
use crate::{archive, read_reference};

/// Which image a name with a host stands for, where this machine has one of that name, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// The one in the registry: what others get.
    Registry,
    /// The one that was built here under that name and not pushed since; else the one in the registry.
    Built,
    /// The one here.
    Here,
}

impl Located {
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `docker:NAME`; an image of kiln's own store by a name
    /// without a host; by one with a host what `prefer` says, and without a network the one here. `store:REFERENCE` and
    /// `registry:REFERENCE` are there in any case.
    pub fn find(machine: &Machine, text: &str, prefer: Prefer) -> Result<Self, Failure> {
        let (place, rest) = forced(text);
        if place == Some(Forced::Registry) {
            return Self::remote(machine, &read_reference(rest)?);
        }
        let (found, reference) = Self::search(machine, text)?;
        let reference = reference.filter(|reference| place.is_none() && reference.host().is_some());
        match (found, reference) {
            (Some(here), Some(reference)) => here.or_remote(machine, &reference, prefer),
            (Some(found), None) => Ok(found),
            (None, Some(reference)) => Self::remote(machine, &reference),
            (None, None) => Err(absent(machine, text)),
        }
    }

    /// This one, which is in kiln's store, or the one in the registry of its name.
    fn or_remote(self, machine: &Machine, reference: &Reference, prefer: Prefer) -> Result<Self, Failure> {
        if machine.offline {
            let note = (prefer != Prefer::Here)
                .then(|| format!("{reference} is taken from kiln's store: --offline is set"));
            return Ok(Self { note, ..self });
        }
        match prefer {
            Prefer::Here => Ok(self),
            // What has a digest is the same everywhere.
            Prefer::Built if reference.is_pinned() => Ok(self),
            Prefer::Built if !machine.layout()?.is_in_registry(&reference.name_and_tag())? => {
                let note = format!(
                    "{reference} is the image that was built here and not pushed since; registry:{reference} is what others get"
                );
                Ok(Self { note: Some(note), ..self })
            }
            Prefer::Built | Prefer::Registry => Self::remote(machine, reference).map_err(|failure| {
                let help = failure.help.map(|help| format!("{help}; ")).unwrap_or_default();
                Failure {
                    help: Some(format!("{help}store:{reference} is the image of that name here")),
                    ..failure
                }
            }),
        }
    }

    /// The same, of this machine only.
    pub fn here(machine: &Machine, text: &str) -> Result<Self, Failure> {
        Self::search(machine, text)?.0.ok_or_else(|| absent(machine, text))
    }

    /// In its registry.
    pub fn remote(machine: &Machine, reference: &Reference) -> Result<Self, Failure> {
        let repository = machine.repository(reference)?;
        let missing = || {
            let what = format!("there is no image `{reference}` in its registry");
            Failure::new("kiln.no_image", Class::Usage, what)
        };
        let descriptor = repository.resolve(&reference.wanted())?.ok_or_else(missing)?;
        let tag = reference.tag.clone().or_else(|| (!reference.is_pinned()).then(|| "latest".to_owned()));
        let place = Place::Registry(Box::new(repository));
        Ok(Self { place, name: reference.name.clone(), tag, descriptor, note: None })
    }

    pub(crate) fn search(
        machine: &Machine,
        text: &str,
    ) -> Result<(Option<Self>, Option<Reference>), Failure> {
        if let Some(place) = text.strip_prefix("oci:") {
            return Ok((Some(in_layout(place)?), None));
        }
        if let Some(found) = archive::locate(machine, text)? {
            return Ok((Some(found), None));
        }
        let reference = read_reference(unforced(text))?;
        Ok((in_store(machine, &reference)?, Some(reference)))
    }
}

/// `DIR[:TAG]`, where a folder may have a colon in its name if it is there.
pub(crate) fn folder_and_tag(place: &str) -> (PathBuf, Option<&str>) {
    match place.rsplit_once(':') {
        Some((folder, tag)) if !Path::new(place).is_dir() => (PathBuf::from(folder), Some(tag)),
        _ => (PathBuf::from(place), None),
    }
}

fn in_layout(place: &str) -> Result<Located, Failure> {
    let (folder, tag) = folder_and_tag(place);
    let layout = Layout::open(&folder)?;
    let descriptor = match tag {
        Some(tag) => layout.resolve(tag)?,
        None => only_entry(&layout)?,
    };
    let descriptor = descriptor.ok_or_else(|| {
        let near = tag.and_then(|tag| meant(&layout, tag));
        let help = near.unwrap_or_else(|| "name one of its images: oci:DIR:TAG".to_owned());
        not_found(&format!("oci:{place}")).with_help(help)
    })?;
    let name =
        folder.file_name().map_or_else(|| "image".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(Located { place: Place::Layout(layout), name, tag: tag.map(str::to_owned), descriptor, note: None })
}

/// The only image of a layout; `None` where there are several. What is attached to an image is none.
fn only_entry(layout: &Layout) -> Result<Option<Descriptor>, Failure> {
    let images = layout.entries()?.into_iter().filter(|entry| entry.subject.is_none());
    let mut images: Vec<Descriptor> = images.map(|entry| entry.manifest).collect();
    images.sort_by_key(|image| image.digest);
    images.dedup_by_key(|image| image.digest);
    Ok(if images.len() == 1 { images.pop() } else { None })
}

fn in_store(machine: &Machine, reference: &Reference) -> Result<Option<Located>, Failure> {
    let layout = machine.layout()?;
    let name = if reference.is_pinned() { reference.wanted() } else { reference.name_and_tag() };
    let mut found = layout.resolve(&name)?;
    if found.is_none() && reference.tag.is_none() {
        // The first digits of a digest, as `kiln images` shows them.
        found = layout.resolve(&reference.name)?;
    }
    let Some(descriptor) = found else { return Ok(None) };
    let tag = Some(reference.tag_or_latest().to_owned());
    let (place, name) = (Place::Layout(layout), reference.name.clone());
    Ok(Some(Located { place, name, tag, descriptor, note: None }))
}

fn absent(machine: &Machine, text: &str) -> Failure {
    let near = machine.layout().ok().and_then(|layout| meant(&layout, text));
    let otherwise =
        "build or pull it first, name an OCI layout (oci:DIR[:TAG]), or name it with its registry's host";
    not_found(text).with_help(near.unwrap_or_else(|| otherwise.to_owned()))
}

/// The image of a layout that was probably meant.
pub fn meant(layout: &Layout, text: &str) -> Option<String> {
    let names: Vec<String> = layout.entries().ok()?.into_iter().filter_map(|entry| entry.name).collect();
    // Without a tag, all tags are near.
    let near = names.iter().find(|name| name.rsplit_once(':').is_some_and(|(name, _)| name == text));
    near.map(|name| format!("did you mean `{name}`?"))
        .or_else(|| kiln_finding::did_you_mean(text, names.iter().map(String::as_str)))
}

fn not_found(text: &str) -> Failure {
    Failure::new("kiln.no_image", Class::Usage, format!("there is no image `{text}` here"))
}
