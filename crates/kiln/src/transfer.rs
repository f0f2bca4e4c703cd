//! Images on their way from one place to another.

use std::sync::atomic::{AtomicU64, Ordering};

use kiln_image::{CopyOptions, Source, copy_with};
use kiln_oci::{Descriptor, Reference};
use kiln_store::Layout;
use serde_json::json;

use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::place::Place;
use crate::progress::{Stages, size};
use crate::registry;
use crate::subject::Located;

/// Blobs on their way at the same time.
const THREADS: usize = 4;

/// Where a copy goes.
pub(crate) struct Target {
    pub(crate) place: Place,
    /// Under which name it will be found there.
    tag: Option<String>,
    /// As the user may write it.
    shown: String,
}

impl Target {
    /// `oci:DIR[:TAG]`; a reference with a host in its registry; another in kiln's store. Without a tag, the tag
    /// is `tag`.
    pub(crate) fn open(context: &Context, text: &str, tag: Option<&str>) -> Result<Self, Failure> {
        if let Some(place) = text.strip_prefix("oci:") {
            return Self::layout(place, tag);
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
        let place = Place::Registry(Box::new(registry::repository(context, &reference)?));
        Ok(Self { place, tag: reference.tag.clone(), shown: reference.to_string() })
    }

    /// Under which name it will be found there.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// kiln's store, under the reference's own name.
    pub(crate) fn store(context: &Context, reference: &Reference) -> Result<Self, Failure> {
        let is_exact = reference.digest.is_some() && reference.tag.is_none();
        let tag = (!is_exact).then(|| reference.name_and_tag());
        let place = Place::Layout(Layout::create(&context.store())?);
        Ok(Self { place, tag, shown: reference.to_string() })
    }

    fn layout(place: &str, tag: Option<&str>) -> Result<Self, Failure> {
        let (folder, own) = match place.rsplit_once(':') {
            Some((folder, own)) if !own.contains('/') => (folder, Some(own)),
            _ => (place, None),
        };
        let tag = own.or(tag).unwrap_or("latest").to_owned();
        let shown = format!("oci:{folder}:{tag}");
        let place = Place::Layout(Layout::create(std::path::Path::new(folder))?);
        Ok(Self { place, tag: Some(tag), shown })
    }
}

/// Reads a reference that a user wrote.
pub(crate) fn reference(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| {
        Failure::usage(format!("read the image name `{text}`")).with_cause(format!("{error}"))
    })
}

/// Copies `root` and says what was done; with `all`, what refers to it comes along.
pub(crate) fn send(
    context: &Context,
    verb: &'static str,
    from: Located,
    root: &Descriptor,
    target: Target,
    all: bool,
) -> Result<Outcome, Failure> {
    let stages = Stages::new(context.quiet);
    stages.start(verb, &target.shown);
    let (notify, sum) = (stages.notifier(), AtomicU64::new(0));
    let on_bytes = |count| {
        let before = sum.fetch_add(count, Ordering::Relaxed);
        // A line for every megabyte is enough.
        if (before + count) >> 20 != before >> 20 {
            notify(&format!("{} ({})", target.shown, size(before + count)));
        }
    };
    let options = CopyOptions { threads: THREADS, referrers: all, on_bytes: Some(&on_bytes) };
    let place = match (target.place, &from.place) {
        (Place::Registry(to), Place::Registry(other)) => {
            Place::Registry(Box::new((*to).mounting_from(other)))
        }
        (place, _) => place,
    };
    let copied = copy_with(&from.place, &place, root, target.tag.as_deref(), &options)?;
    if let Place::Layout(layout) = &place
        && all
        && !layout.referrers(&root.digest)?.is_empty()
        && layout.folder() != context.store()
    {
        layout.tag_referrers(&root.digest)?;
    }
    let statements = match copied.referrers {
        0 => String::new(),
        1 => ", 1 statement".to_owned(),
        many => format!(", {many} statements"),
    };
    let present = if copied.present > 0 { format!(", {} were there", copied.present) } else { String::new() };
    stages.done(&format!("{} blobs sent, {}{present}{statements}", copied.blobs, size(copied.bytes)));
    output::data(&match context.format {
        Format::Human => format!("{}@{}", target.shown, root.digest),
        Format::Json => json!({
            "image": target.shown,
            "digest": root.digest,
            "manifests": copied.manifests,
            "referrers": copied.referrers,
            "blobs": {"sent": copied.blobs, "present": copied.present, "bytes": copied.bytes},
        })
        .to_string(),
    });
    Ok(Outcome::Fine)
}
