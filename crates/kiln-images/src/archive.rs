//! Images in archives and in the Docker daemon, found by name.

use std::path::{Path, PathBuf};

use kiln_finding::{Class, Failure};
use kiln_image::Source;
use kiln_oci::Reference;
use kiln_store::{Archive, Daemon};

use crate::located::Located;
use crate::machine::Machine;
use crate::place::Place;

/// How an image of an archive or of the daemon begins; the rest is `FILE[:NAME]`, or the name.
const ARCHIVES: [&str; 2] = ["oci-archive:", "docker-archive:"];
const DAEMONS: [&str; 2] = ["docker:", "docker-daemon:"];

/// The image that `text` names, if it names one of an archive or of the daemon.
pub(crate) fn locate(machine: &Machine, text: &str) -> Result<Option<Located>, Failure> {
    if let Some(place) = ARCHIVES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        return in_file(machine, text, place).map(Some);
    }
    match daemon_name(text) {
        Some(name) => in_daemon(machine, name).map(Some),
        None => Ok(None),
    }
}

/// The name of an image of the daemon.
pub fn daemon_name(text: &str) -> Option<&str> {
    DAEMONS.iter().find_map(|prefix| text.strip_prefix(prefix))
}

/// `FILE[:NAME]`, where a file may have a colon in its name if it is there.
pub(crate) fn file_and_name(place: &str) -> (PathBuf, Option<&str>) {
    match place.split_once(':') {
        Some((file, name)) if !Path::new(place).exists() => (PathBuf::from(file), Some(name)),
        _ => (PathBuf::from(place), None),
    }
}

/// The Docker daemon of this machine.
pub fn daemon() -> Result<Daemon, Failure> {
    let host = std::env::var("DOCKER_HOST").ok();
    Daemon::find(host.as_deref())?.ok_or_else(|| {
        Failure::new("store.daemon", Class::Environment, "find a Docker daemon: there is no socket")
            .with_help("start Docker, or use an archive: docker-archive:FILE")
    })
}

fn in_file(machine: &Machine, text: &str, place: &str) -> Result<Located, Failure> {
    let (file, name) = file_and_name(place);
    let archive = Archive::open(&file, &machine.spool())?;
    let stem =
        file.file_stem().map_or_else(|| "image".to_owned(), |stem| stem.to_string_lossy().into_owned());
    only(archive, text, name, &stem)
}

fn in_daemon(machine: &Machine, name: &str) -> Result<Located, Failure> {
    // The daemon adds no tag to a name, and then saves all of them.
    let reference: Option<Reference> = name.parse().ok();
    let is_open = reference.as_ref().is_some_and(|found| found.tag.is_none() && !found.is_pinned());
    let asked = if is_open && !is_id(name) { format!("{name}:latest") } else { name.to_owned() };
    let archive = daemon()?.save(&asked, &machine.spool())?;
    let missing = || {
        let what = format!("there is no image `{asked}` in the Docker daemon");
        Failure::new("kiln.no_image", Class::Usage, what).with_help("`docker images` lists what is there")
    };
    only(archive.ok_or_else(missing)?, &asked, None, name)
}

/// The id of an image, whole or shortened: it stays what it is.
fn is_id(name: &str) -> bool {
    (12..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_hexdigit())
}

/// The image called `name`, or the only one there is.
fn only(archive: Archive, text: &str, name: Option<&str>, stem: &str) -> Result<Located, Failure> {
    let found = match name {
        Some(name) => with_name(&archive, name)?,
        None => single(&archive),
    };
    let Some((own, descriptor)) = found else {
        let names: Vec<&str> = archive.images().flat_map(|(names, _)| names).map(String::as_str).collect();
        let what = format!("find one image in {text}");
        let help = match names.as_slice() {
            [] => "it holds none".to_owned(),
            names => format!("it holds {}; name one after a colon", names.join(", ")),
        };
        return Err(Failure::new("kiln.no_image", Class::Usage, what).with_help(help));
    };
    let reference = own.as_deref().and_then(|own| own.parse::<Reference>().ok());
    // The name of an OCI layout's image is its tag alone.
    let is_full = own.as_deref().is_some_and(|own| own.contains([':', '/']));
    let (name, tag) = match reference.filter(|_| is_full) {
        Some(reference) => (reference.name.clone(), reference.tag),
        None => (stem.to_owned(), own),
    };
    Ok(Located { place: Place::Archive(Box::new(archive)), name, tag, descriptor, note: None })
}

type Found = Option<(Option<String>, kiln_oci::Descriptor)>;

/// The only image there is.
fn single(archive: &Archive) -> Found {
    let mut images = archive.images();
    let (names, descriptor) = images.next()?;
    images.next().is_none().then(|| (names.first().cloned(), descriptor.clone()))
}

/// By its name as it is written there, or as Docker writes it.
fn with_name(archive: &Archive, name: &str) -> Result<Found, Failure> {
    let written = name.parse::<Reference>().map(|reference| reference.name_and_tag()).ok();
    for name in [Some(name.to_owned()), written].into_iter().flatten() {
        if let Some(descriptor) = archive.resolve(&name)? {
            return Ok(Some((Some(name), descriptor)));
        }
    }
    Ok(None)
}
