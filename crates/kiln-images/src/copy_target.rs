use std::path::Path;

use kiln_finding::Failure;
use kiln_oci::Reference;
use kiln_store::{ArchiveForm, Layout};

use crate::archive::{daemon_name, file_and_name};
use crate::destination::Destination;
use crate::forced::{Forced, forced};
use crate::machine::Machine;
use crate::read_reference;

/// Where a copy goes.
pub struct CopyTarget {
    /// What takes it in.
    pub destination: Destination,
    /// Under which name it will be found there.
    pub tag: Option<String>,
    /// As the user may write it.
    pub(crate) shown: String,
    /// It takes the image of one platform, and no signatures.
    pub(crate) is_single: bool,
    /// Other tools look for signatures there, and find them under a tag.
    pub(crate) is_foreign: bool,
}

impl CopyTarget {
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `docker:NAME`; a reference with a host in
    /// its registry; another in kiln's store; `store:` and `registry:` say which. Without a name, the image keeps `name` and `tag`.
    pub fn open(machine: &Machine, text: &str, name: &str, tag: Option<&str>) -> Result<Self, Failure> {
        if let Some(target) = Self::local(text, name, tag)? {
            return Ok(target);
        }
        let (place, text) = forced(text);
        let mut reference = read_reference(text)?;
        if reference.is_pinned() {
            return Err(Failure::usage(format!("copy to `{text}`: content decides its own digest"))
                .with_help("name a tag"));
        }
        if reference.tag.is_none() {
            reference.tag = Some(tag.unwrap_or("latest").to_owned());
        }
        if place == Some(Forced::Store) || reference.host().is_none() && place.is_none() {
            return Self::store(machine, &reference);
        }
        let destination = Destination::Registry(Box::new(machine.repository(&reference)?.without_mirrors()));
        Ok(Self {
            destination,
            tag: reference.tag.clone(),
            shown: reference.to_string(),
            is_single: false,
            is_foreign: false,
        })
    }

    /// Where it goes, as the user may write it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it takes nothing but the image of one platform.
    pub fn is_for_one_image(&self) -> bool {
        self.is_single
    }

    /// One with a prefix, which is neither a registry nor kiln's store.
    pub fn local(text: &str, name: &str, tag: Option<&str>) -> Result<Option<Self>, Failure> {
        let full = || format!("{name}:{}", tag.unwrap_or("latest"));
        Ok(Some(match text.split_once(':') {
            Some(("oci", place)) if !place.is_empty() => Self::layout(place, tag)?,
            Some(("oci-archive", place)) if !place.is_empty() => {
                let (file, own) = file_and_name(place);
                Self::oci_archive(&file, own.or(tag).unwrap_or("latest"))?
            }
            Some(("docker-archive", place)) if !place.is_empty() => {
                let (file, own) = file_and_name(place);
                Self::docker_archive(&file, &own.map_or_else(|| Ok(full()), docker_name)?)?
            }
            _ => match daemon_name(text) {
                Some("") => Self::daemon(&full())?,
                Some(own) => Self::daemon(&docker_name(own)?)?,
                None => return Ok(None),
            },
        }))
    }

    /// kiln's store, under the reference's own name.
    pub fn store(machine: &Machine, reference: &Reference) -> Result<Self, Failure> {
        let is_exact = reference.is_pinned() && reference.tag.is_none();
        let tag = (!is_exact).then(|| reference.name_and_tag());
        let destination = Destination::Layout(machine.layout()?);
        Ok(Self { destination, tag, shown: reference.to_string(), is_single: false, is_foreign: false })
    }

    fn layout(place: &str, tag: Option<&str>) -> Result<Self, Failure> {
        let (folder, own) = match place.rsplit_once(':') {
            Some((folder, own)) if !own.contains('/') => (folder, Some(own)),
            _ => (place, None),
        };
        let tag = own.or(tag).unwrap_or("latest").to_owned();
        let shown = format!("oci:{folder}:{tag}");
        // Somebody takes it from there at once, as with other tools; it is not where kiln keeps things.
        let destination = Destination::Layout(Layout::create(Path::new(folder))?.unhurried());
        Ok(Self { destination, tag: Some(tag), shown, is_single: false, is_foreign: true })
    }

    fn oci_archive(file: &Path, tag: &str) -> Result<Self, Failure> {
        let destination = Destination::archive(file, ArchiveForm::Oci)?;
        let shown = format!("oci-archive:{}:{tag}", file.display());
        Ok(Self { destination, tag: Some(tag.to_owned()), shown, is_single: false, is_foreign: false })
    }

    fn docker_archive(file: &Path, name: &str) -> Result<Self, Failure> {
        let destination = Destination::archive(file, ArchiveForm::Docker(name.to_owned()))?;
        let shown = format!("docker-archive:{}:{name}", file.display());
        Ok(Self { destination, tag: Some(name.to_owned()), shown, is_single: true, is_foreign: false })
    }

    fn daemon(name: &str) -> Result<Self, Failure> {
        let destination = Destination::daemon(name)?;
        Ok(Self {
            destination,
            tag: Some(name.to_owned()),
            shown: format!("docker:{name}"),
            is_single: true,
            is_foreign: false,
        })
    }
}

/// A name as Docker takes it, with its tag.
fn docker_name(text: &str) -> Result<String, Failure> {
    Ok(read_reference(text)?.name_and_tag())
}
