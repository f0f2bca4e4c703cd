//! Where the image lies that a user names.

use std::path::{Path, PathBuf};

use kiln_finding::{Class, Failure};
use kiln_image::Source;
use kiln_oci::{Descriptor, Reference};
use kiln_store::Layout;

use crate::located::Located;
use crate::machine::Machine;
use crate::place::Place;
use crate::{archive, read_reference};

impl Located {
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `docker:NAME`, an image of kiln's own store by
    /// its name, else one of a registry if the name has a host.
    /// `registry:REFERENCE` asks the registry in any case.
    pub fn find(machine: &Machine, text: &str) -> Result<Self, Failure> {
        if let Some(reference) = text.strip_prefix("registry:") {
            return Self::remote(machine, &read_reference(reference)?);
        }
        match Self::search(machine, text)? {
            (Some(found), _) => Ok(found),
            (None, Some(reference)) if reference.host().is_some() => Self::remote(machine, &reference),
            (None, _) => Err(absent(machine, text)),
        }
    }

    /// The same, of this machine only.
    pub fn here(machine: &Machine, text: &str) -> Result<Self, Failure> {
        Self::search(machine, text)?.0.ok_or_else(|| absent(machine, text))
    }

    /// In its registry.
    pub fn remote(machine: &Machine, reference: &Reference) -> Result<Self, Failure> {
        let repository = machine.repository(reference)?;
        let wanted = reference
            .digest
            .map_or_else(|| reference.tag_or_latest().to_owned(), |digest| digest.to_string());
        let missing = || {
            let what = format!("there is no image `{reference}` in its registry");
            Failure::new("kiln.no_image", Class::Usage, what)
        };
        let descriptor = repository.resolve(&wanted)?.ok_or_else(missing)?;
        let tag = reference.tag.clone().or_else(|| reference.digest.is_none().then(|| "latest".to_owned()));
        let place = Place::Registry(Box::new(repository));
        Ok(Self { place, name: reference.name.clone(), tag, descriptor })
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
        let reference = read_reference(text)?;
        Ok((in_store(machine, &reference)?, Some(reference)))
    }
}

fn in_layout(place: &str) -> Result<Located, Failure> {
    let (folder, tag) = match place.rsplit_once(':') {
        Some((folder, tag)) if !Path::new(place).is_dir() => (PathBuf::from(folder), Some(tag)),
        _ => (PathBuf::from(place), None),
    };
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
    Ok(Located { place: Place::Layout(layout), name, tag: tag.map(str::to_owned), descriptor })
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
    let name = reference.digest.map_or_else(|| reference.name_and_tag(), |digest| digest.to_string());
    let Some(descriptor) = layout.resolve(&name)? else { return Ok(None) };
    let tag = Some(reference.tag_or_latest().to_owned());
    Ok(Some(Located { place: Place::Layout(layout), name: reference.name.clone(), tag, descriptor }))
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
