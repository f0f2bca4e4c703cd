//! Images on their way from one place to another, for people who wait for it.

use std::sync::atomic::{AtomicU64, Ordering};

use kiln_executor::Progress as _;
use kiln_finding::{Failure, size};
use kiln_images::{Along, Arrived, CopyTarget, Destination, Located, deliver};
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
    output::data(&match context.format {
        Format::Human => format!("{shown}@{digest}"),
        Format::Json => json!({
            "image": shown,
            "digest": digest,
            "manifests": copied.manifests,
            "referrers": copied.referrers,
            "tags": tags.taken,
            "blobs": {"sent": copied.blobs, "present": copied.present, "bytes": copied.bytes},
        })
        .to_string(),
    });
    Ok(Outcome::Fine)
}
