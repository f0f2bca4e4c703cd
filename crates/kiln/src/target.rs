//! What is looked at for packages: an image, a folder, or an SBOM that someone else wrote.

use std::io::Read;
use std::path::Path;

use kiln_app::{Folder, Reason, VERSION_CONTROL, absent};
use kiln_finding::{Class, Failure};
use kiln_images::{NamedImage, Prefer};
use kiln_inventory::{Machine, scan_folder};
use kiln_oci::{Arch, Digest, Platform};
use kiln_pkg::{Inventory, Unread};
use kiln_sbom::DOCUMENT_MAX;

use crate::context::Context;

/// Something that holds packages.
pub(crate) enum ScanTarget {
    Image(Box<NamedImage>),
    Folder { text: String },
    Document { text: String },
}

impl ScanTarget {
    /// `sbom:FILE`, `dir:FOLDER`; what starts with `.` or `/` is a file or folder; all else is an image, and, where there is none of
    /// that name on this machine, a folder or a file of that name.
    /// Of an image for several platforms, it is the one for `platform`, else for this machine.
    pub(crate) fn open(context: &Context, text: &str, platform: Option<&Platform>) -> Result<Self, Failure> {
        let found = Self::find(context, text, platform)?;
        match &found {
            Self::Image(image) => context.say_note(image.note.as_deref()),
            Self::Folder { .. } | Self::Document { .. } if platform.is_some() => {
                return Err(Failure::usage(format!("look at {text} for one platform: it is no image"))
                    .with_help("leave --platform away"));
            }
            Self::Folder { .. } | Self::Document { .. } => {}
        }
        Ok(found)
    }

    fn find(context: &Context, text: &str, platform: Option<&Platform>) -> Result<Self, Failure> {
        if let Some(file) = text.strip_prefix("sbom:") {
            return Ok(Self::Document { text: file.to_owned() });
        }
        if let Some(folder) = text.strip_prefix("dir:") {
            return Ok(Self::Folder { text: folder.to_owned() });
        }
        let is_path = text.starts_with(['.', '/']) || text.is_empty();
        let on_disk = Self::on_disk(text);
        match on_disk {
            Some(found) if is_path => Ok(found),
            None if is_path => Err(absent(Path::new(text))),
            Some(found) if platform.is_none() => Ok(NamedImage::open_here(&context.machine, text)?
                .map_or(found, |subject| Self::Image(Box::new(subject)))),
            _ => {
                let image = NamedImage::open(&context.machine, text, Prefer::Built, platform)?;
                Ok(Self::Image(Box::new(image)))
            }
        }
    }

    fn on_disk(text: &str) -> Option<Self> {
        let path = Path::new(text);
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Some(Self::Folder { text: text.to_owned() }),
            Ok(metadata) if metadata.is_file() => Some(Self::Document { text: text.to_owned() }),
            _ => None,
        }
    }

    /// As the user wrote it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Image(subject) => &subject.text,
            Self::Folder { text } | Self::Document { text } => text,
        }
    }

    /// The image's own digest.
    pub(crate) fn digest(&self) -> Option<Digest> {
        match self {
            Self::Image(subject) => Some(subject.image.descriptor.digest),
            Self::Folder { .. } | Self::Document { .. } => None,
        }
    }

    /// What it holds.
    pub(crate) fn inventory(&self, context: &Context) -> Result<Inventory, Failure> {
        match self {
            Self::Image(subject) => kiln_proof::inventory(&subject.image, subject.place(), &context.machine),
            Self::Folder { text } => folder(Path::new(text)),
            Self::Document { text } => document(Path::new(text)),
        }
    }
}

/// Packages of lock files are those of a Linux image for this machine's architecture.
fn folder(path: &Path) -> Result<Inventory, Failure> {
    let (tree, missed) = Folder::open(path)?.everything(&VERSION_CONTROL);
    let cpu = match Arch::host() {
        Some(Arch::Arm64) => "arm64",
        _ => "x64",
    };
    let mut inventory = scan_folder(&tree, Machine { os: "linux", cpu, libc: "glibc" })?;
    // Pipes and devices hold no packages.
    let missed = missed.into_iter().filter(|missed| missed.reason != Reason::Device);
    let unread =
        missed.map(|missed| Unread { path: missed.path, reader: "folder".to_owned(), why: missed.why });
    inventory.unread.extend(unread);
    inventory.unread.sort();
    Ok(inventory)
}

fn document(path: &Path) -> Result<Inventory, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("kiln.read", Class::Usage, format!("read {}", path.display()))
            .with_cause(error.to_string())
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(DOCUMENT_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(kiln_sbom::read(&bytes)?)
}
