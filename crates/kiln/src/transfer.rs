//! Images on their way from one place to another.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_finding::Failure;
use kiln_image::{Copied, CopyOptions, Sink, copy_with};
use kiln_oci::{Descriptor, Digest, Reference};
use kiln_store::{ArchiveForm, Layout};
use serde_json::json;

use crate::archive::{daemon_name, file_and_name};
use crate::args::Format;
use crate::context::Context;
use crate::destination::Destination;
use crate::output::{self, Outcome};
use crate::place::Place;
use crate::platform::for_here;
use crate::progress::{Stages, size};
use crate::subject::Located;
use crate::{attached, registry};

/// Blobs on their way at the same time.
const THREADS: usize = 4;

/// Where a copy goes.
pub(crate) struct Target {
    pub(crate) destination: Destination,
    /// Under which name it will be found there.
    pub(crate) tag: Option<String>,
    /// As the user may write it.
    shown: String,
    /// It takes the image of one platform, and no signatures.
    is_single: bool,
    /// Other tools look for signatures there, and find them under a tag.
    is_foreign: bool,
}

impl Target {
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `docker:NAME`; a reference with a host in
    /// its registry; another in kiln's store. Without a name, the image keeps `name` and `tag`.
    pub(crate) fn open(
        context: &Context,
        text: &str,
        name: &str,
        tag: Option<&str>,
    ) -> Result<Self, Failure> {
        if let Some(target) = Self::local(text, name, tag)? {
            return Ok(target);
        }
        let mut reference = reference(text.strip_prefix("registry:").unwrap_or(text))?;
        if reference.digest.is_some() {
            return Err(Failure::usage(format!("copy to `{text}`: content decides its own digest"))
                .with_help("name a tag"));
        }
        if reference.tag.is_none() {
            reference.tag = Some(tag.unwrap_or("latest").to_owned());
        }
        if reference.host().is_none() {
            return Self::store(context, &reference);
        }
        let destination = Destination::Registry(Box::new(registry::repository(context, &reference)?));
        Ok(Self {
            destination,
            tag: reference.tag.clone(),
            shown: reference.to_string(),
            is_single: false,
            is_foreign: false,
        })
    }

    /// One with a prefix, which is neither a registry nor kiln's store.
    pub(crate) fn local(text: &str, name: &str, tag: Option<&str>) -> Result<Option<Self>, Failure> {
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
    pub(crate) fn store(context: &Context, reference: &Reference) -> Result<Self, Failure> {
        let is_exact = reference.digest.is_some() && reference.tag.is_none();
        let tag = (!is_exact).then(|| reference.name_and_tag());
        let destination = Destination::Layout(context.layout()?);
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

/// What goes along with an image.
#[derive(Clone, Copy)]
pub(crate) struct Along {
    /// What refers to it: signatures and statements.
    pub(crate) referrers: bool,
    /// What statements say, in an index as BuildKit writes it; that gets the name then.
    pub(crate) index: bool,
}

impl Along {
    /// What refers to it, if `all`.
    pub(crate) fn of(all: bool) -> Self {
        Self { referrers: all, index: false }
    }
}

/// An image where a copy brought it.
struct Arrived {
    copied: Copied,
    /// As the user may write it.
    shown: String,
    digest: Digest,
}

/// A name as Docker takes it, with its tag.
fn docker_name(text: &str) -> Result<String, Failure> {
    Ok(reference(text)?.name_and_tag())
}

/// Reads a reference that a user wrote.
pub(crate) fn reference(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| {
        Failure::usage(format!("read the image name `{text}`")).with_cause(format!("{error}"))
    })
}

/// Copies `root` to `target`, with what goes along, and says where it is.
pub(crate) fn deliver(
    from: &Place,
    root: &Descriptor,
    target: Target,
    along: Along,
) -> Result<String, Failure> {
    Ok(carry(from, root, target, along, &|_| {})?.shown)
}

/// Copies `root` to `target` and makes it whole there, with what goes along where the target can hold that.
fn carry(
    from: &Place,
    root: &Descriptor,
    target: Target,
    along: Along,
    on_bytes: &(dyn Fn(u64) + Sync),
) -> Result<Arrived, Failure> {
    if along.index && target.is_single {
        return Err(Failure::usage(format!(
            "write statements into an index at {}: it holds one image",
            target.shown
        ))
        .with_help("copy to a registry, an OCI layout or an oci-archive"));
    }
    let root = if target.is_single { for_here(from, root)? } else { root.clone() };
    let destination = match (target.destination, from) {
        (Destination::Registry(to), Place::Registry(other)) => {
            Destination::Registry(Box::new((*to).mounting_from(other)))
        }
        (destination, _) => destination,
    };
    let threads = if destination.is_ordered() { 1 } else { THREADS };
    let referrers = along.referrers && !target.is_single;
    let options = CopyOptions { threads, referrers, on_bytes: Some(on_bytes) };
    let tag = target.tag.as_deref();
    let copied = copy_with(from, &destination, &root, tag.filter(|_| !along.index), &options)?;
    let digest = if along.index {
        let index = attached::index(from, &root, &destination)?;
        destination.publish(&index, tag)?;
        index.digest
    } else {
        root.digest
    };
    if let (Destination::Layout(layout), true) = (&destination, copied.referrers > 0 && target.is_foreign) {
        layout.tag_referrers(&root.digest)?;
    }
    destination.finish()?;
    Ok(Arrived { copied, shown: target.shown, digest })
}

/// Copies `root` with what goes along, and says what was done.
pub(crate) fn send(
    context: &Context,
    verb: &'static str,
    from: &Located,
    root: &Descriptor,
    target: Target,
    along: Along,
) -> Result<Outcome, Failure> {
    let stages = Stages::new(context.quiet);
    stages.start(verb, &target.shown);
    let (notify, sum) = (stages.notifier(), AtomicU64::new(0));
    let shown = target.shown.clone();
    let on_bytes = |count| {
        let before = sum.fetch_add(count, Ordering::Relaxed);
        // A line for every megabyte is enough.
        if (before + count) >> 20 != before >> 20 {
            notify(&format!("{shown} ({})", size(before + count)));
        }
    };
    let Arrived { copied, shown, digest } = carry(&from.place, root, target, along, &on_bytes)?;
    let statements = match copied.referrers {
        0 => String::new(),
        1 => ", 1 statement".to_owned(),
        many => format!(", {many} statements"),
    };
    let present = if copied.present > 0 { format!(", {} were there", copied.present) } else { String::new() };
    stages.done(&format!("{} blobs sent, {}{present}{statements}", copied.blobs, size(copied.bytes)));
    output::data(&match context.format {
        Format::Human => format!("{shown}@{digest}"),
        Format::Json => json!({
            "image": shown,
            "digest": digest,
            "manifests": copied.manifests,
            "referrers": copied.referrers,
            "blobs": {"sent": copied.blobs, "present": copied.present, "bytes": copied.bytes},
        })
        .to_string(),
    });
    Ok(Outcome::Fine)
}
