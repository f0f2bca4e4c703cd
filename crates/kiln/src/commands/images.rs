use std::time::SystemTime;

use kiln_finding::{Failure, size};
use kiln_oci::{Descriptor, Digest};
use kiln_proof::kind_of;
use kiln_store::{Entry, Layout, Refused, Spare};
use serde::Serialize;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> =
    Command { order: 4, project: |_| None, ..Command::new("images", Group::Keep, run) };

/// List the images of kiln's store
#[derive(clap::Args)]
pub(crate) struct Args {
    /// List images without a name, too
    #[arg(long, short)]
    all: bool,
    /// List the images that `kiln ship` refused, and by which checks
    #[arg(long, conflicts_with = "all")]
    refused: bool,
}

/// An image of the store.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: Option<String>,
    digest: Digest,
    platforms: Vec<String>,
    /// Bytes of everything that it needs.
    size: u64,
    /// Whether all of that is here.
    whole: bool,
    /// Seconds since 1970; when it came here.
    since: u64,
    attached: Vec<Attached>,
    /// For one that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// What else there is about an image.
#[derive(Serialize)]
struct Attached {
    digest: String,
    kind: String,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let layout = context.machine.layout()?;
    let entries = layout.entries()?;
    let is_wanted = |entry: &Entry| {
        if args.refused { entry.refused.is_some() } else { args.all || entry.name.is_some() }
    };
    let is_shown = |entry: &&Entry| entry.subject.is_none() && is_wanted(entry);
    let mut images = Vec::new();
    for entry in entries.iter().filter(is_shown) {
        images.push(listed(entry, &entries, &layout)?);
    }
    match context.format {
        Format::Json => output::data(&serde_json::json!({ "images": images }).to_string()),
        Format::Human => {
            let table = if args.refused { refused_table(&images) } else { table(&images) };
            output::data(&table);
            if !context.quiet {
                output::talk(&summary(&layout)?);
            }
        }
    }
    Ok(Outcome::Fine)
}

fn listed(entry: &Entry, entries: &[Entry], layout: &Layout) -> Result<Listed, Failure> {
    let manifest = &entry.manifest;
    let (needed, missing) = layout.needs(manifest)?;
    let since = std::fs::metadata(layout.blob_path(&manifest.digest)).and_then(|found| found.modified());
    let mut attached = Vec::new();
    for other in entries.iter().filter(|other| other.subject == Some(manifest.digest)) {
        attached.push(Attached {
            digest: other.manifest.digest.to_string(),
            kind: kind_of(layout, &other.manifest),
        });
    }
    Ok(Listed {
        name: entry.name.clone(),
        digest: manifest.digest,
        platforms: platforms(layout, manifest),
        size: needed.values().sum(),
        whole: missing.is_empty(),
        since: since
            .ok()
            .and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok())
            .map_or(0, |since| since.as_secs()),
        attached,
        refused: entry.refused.clone(),
    })
}

/// What it runs on; nothing where that cannot be read, as of what is no image.
fn platforms(layout: &Layout, manifest: &Descriptor) -> Vec<String> {
    let images = kiln_images::images_of(layout, manifest).unwrap_or_default();
    let known = images.iter().filter_map(|image| image.platform.as_ref());
    known
        .filter(|platform| !matches!(platform.os.as_str(), "" | "unknown"))
        .map(ToString::to_string)
        .collect()
}

fn table(images: &[Listed]) -> String {
    let mut table = kiln_report::Table::new(&["NAME", "DIGEST", "PLATFORM", "SIZE", "HERE FOR", "ATTACHED"]);
    for image in images {
        let platform = match image.platforms.as_slice() {
            [] => "-".to_owned(),
            [one] => one.clone(),
            many => format!("{} platforms", many.len()),
        };
        let whole = if image.whole { "" } else { " (not whole)" };
        table.row(vec![
            image.name.clone().unwrap_or_else(|| "-".to_owned()),
            image.digest.short(),
            platform,
            format!("{}{whole}", size(image.size)),
            age(image.since),
            if image.attached.is_empty() { "-".to_owned() } else { image.attached.len().to_string() },
        ]);
    }
    table.render()
}

fn refused_table(images: &[Listed]) -> String {
    let mut table = kiln_report::Table::new(&["WOULD BE", "DIGEST", "SIZE", "HERE FOR", "REFUSED BY"]);
    for image in images {
        let Some(refused) = &image.refused else { continue };
        let (digest, size, age) = (image.digest.short(), size(image.size), age(image.since));
        table.row(vec![refused.name.clone(), digest, size, age, refused.by.join(", ")]);
    }
    table.render()
}

/// How long ago something was, in its largest unit.
fn age(since: u64) -> String {
    let seconds = kiln_images::clock::now().cast_unsigned().saturating_sub(since);
    let (count, unit) = match seconds {
        0..60 => return "a moment".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn summary(layout: &Layout) -> Result<String, Failure> {
    let total: u64 = layout.blobs_here()?.iter().map(|blob| blob.size).sum();
    let unneeded = layout.prune(Spare { unnamed_since: None, blobs_since: None }, true)?;
    let freed = unneeded.bytes + unneeded.damaged.1;
    Ok(match freed {
        0 => format!("{} in the store", size(total)),
        freed => format!("{} in the store; no name leads to {} of it (kiln prune)", size(total), size(freed)),
    })
}
