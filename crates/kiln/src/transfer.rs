//! Images on their way from one place to another, for people who wait for it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_executor::Progress as _;
use kiln_finding::{Failure, size};
use kiln_images::{Along, Arrived, CopyTarget, Destination, Located, beside, deliver};
use kiln_oci::Descriptor;
use serde_json::json;

use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::progress::Stages;

/// Copies `root` with what goes along, and says what was done.
pub(crate) fn send(
    context: &Context,
    verb: &'static str,
    from: &Located,
    root: &Descriptor,
    target: CopyTarget,
    along: Along<'_>,
) -> Result<Outcome, Failure> {
    let stages = Stages::new(context.quiet);
    stages.start(verb, target.shown());
    let (notify, sum) = (stages.notifier(), AtomicU64::new(0));
    let shown = target.shown().to_owned();
    let on_bytes = |count| {
        let before = sum.fetch_add(count, Ordering::Relaxed);
        // A line for every megabyte is enough.
        if (before + count) >> 20 != before >> 20 {
            notify(&format!("{shown} ({})", size(before + count)));
        }
    };
    let is_for_one_image = target.is_for_one_image();
    let is_pushed = matches!(target.destination, Destination::Registry(_));
    let Arrived { copied, tags, shown, digest } = deliver(&from.place, root, target, along, &on_bytes)?;
    if is_pushed {
        // An image here that has that name is from now on what others get.
        context.machine.layout()?.note_in_registry(&shown, root)?;
    }
    let statements = match copied.referrers {
        0 => String::new(),
        1 => ", 1 statement".to_owned(),
        many => format!(", {many} statements"),
    };
    let present = if copied.present > 0 { format!(", {} were there", copied.present) } else { String::new() };
    let signatures = match tags.taken.len() {
        0 => String::new(),
        1 => ", 1 tag of signatures".to_owned(),
        many => format!(", {many} tags of signatures"),
    };
    let sent =
        format!("{} blobs sent, {}{present}{statements}{signatures}", copied.blobs, size(copied.bytes));
    stages.done(&sent);
    for (tag, why) in &tags.left {
        output::talk(&format!("left behind: {tag}: {why}"));
    }
    let behind = if along.referrers { left_behind(from, root, is_for_one_image)? } else { None };
    if let Some((count, why)) = &behind {
        output::talk(&format!("left behind: {count} signatures and statements {why}"));
    }
    // What was not asked of one place may be asked of it for each tag.
    let unknown: BTreeSet<&String> = copied.unknown.iter().chain(&tags.unknown).collect();
    for why in &unknown {
        output::talk(&format!("left behind, and not known: {why}"));
    }
    output::data(&match context.format {
        Format::Human => format!("{shown}@{digest}"),
        Format::Json => json!({
            "image": shown,
            "digest": digest,
            "manifests": copied.manifests,
            "referrers": copied.referrers,
            "tags": tags.taken,
            "left_behind": behind.map_or(0, |(count, _)| count),
            "unknown": unknown,
            "blobs": {"sent": copied.blobs, "present": copied.present, "bytes": copied.bytes},
        })
        .to_string(),
    });
    Ok(if along.referrers && !unknown.is_empty() { Outcome::Unknown } else { Outcome::Fine })
}

/// How many signatures and statements do not come along although all were asked for, and why: what an index is signed with counts for
/// its images, and stays with the index.
fn left_behind(
    from: &Located,
    root: &Descriptor,
    is_for_one_image: bool,
) -> Result<Option<(usize, String)>, Failure> {
    let whole = &from.descriptor;
    let why = match whole.digest == root.digest {
        false => format!(
            "beside the index {}, which count for this image, too; they come with all platforms",
            whole.digest
        ),
        true if is_for_one_image => "beside the image: what it goes to holds an image alone".to_owned(),
        true => return Ok(None),
    };
    let count = beside(&from.place, &whole.digest)?.found.len();
    Ok((count > 0).then_some((count, why)))
}
