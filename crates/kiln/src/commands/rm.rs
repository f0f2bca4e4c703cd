use std::collections::BTreeSet;

use kiln_disk::Holding;
use kiln_finding::{Class, Failure, size};
use kiln_images::{read_reference, unforced};
use kiln_oci::{Digest, normal_image};
use kiln_store::{Entry, Layout};
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::folders;
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> =
    Command { order: 5, project: |_| None, uses_folders: false, ..Command::new("rm", Group::Keep, run) };

/// Remove images from kiln's store, with what is attached to them
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names or digests: orders-api:1.4.0, sha256:55b6…
    #[arg(required = true)]
    names: Vec<String>,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    // Alone, if that is possible: then what nothing needs any more can go, too.
    let (_lock, holding) = folders::alone_or_shared(&context.machine.data_dir)?;
    folders::sweep_data(&context.machine.data_dir);
    let layout = context.machine.layout()?;
    let entries = layout.entries()?;
    let going = args.names.iter().map(|name| find(name, &entries, &layout)).collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<String> = going.iter().flatten().filter_map(|entry| entry.name.clone()).collect();
    let digests: BTreeSet<Digest> = going
        .iter()
        .flatten()
        .filter(|entry| entry.name.is_none())
        .map(|entry| entry.manifest.digest)
        .collect();
    let freed = remove(&layout, &names, &digests, holding)?;
    let shown: Vec<String> = names.into_iter().chain(digests.iter().map(Digest::to_string)).collect();
    match context.format {
        Format::Json => output::data(&json!({ "removed": shown, "bytes": freed }).to_string()),
        Format::Human => {
            output::data(&shown.join("\n"));
            if !context.quiet {
                output::talk(&match freed {
                    Some(bytes) => format!("{} freed", size(bytes)),
                    None => "another kiln is at work; what nothing needs goes with `kiln prune`".to_owned(),
                });
            }
        }
    }
    Ok(Outcome::Fine)
}

/// The entries that a name or a digest stands for.
fn find<'a>(text: &str, entries: &'a [Entry], layout: &Layout) -> Result<Vec<&'a Entry>, Failure> {
    let digest = text.parse::<Digest>().ok();
    let name = if digest.is_none() { Some(read_reference(unforced(text))?) } else { None };
    let digest = digest.or_else(|| name.as_ref().and_then(|name| name.digest));
    let name = name.filter(|name| !name.is_pinned()).and_then(|name| normal_image(&name.name_and_tag()));
    // Every spelling of a name is one image.
    let is_meant = |entry: &&Entry| match &digest {
        Some(digest) => entry.manifest.digest == *digest,
        None => name.is_some() && entry.name.as_deref().and_then(normal_image) == name,
    };
    let found: Vec<&Entry> = entries.iter().filter(is_meant).collect();
    if found.is_empty() {
        let what = format!("there is no image `{text}` here");
        let near = kiln_images::meant(layout, text);
        let help = near.unwrap_or_else(|| "`kiln images --all` lists them".to_owned());
        return Err(Failure::new("kiln.no_image", Class::Usage, what).with_help(help));
    }
    Ok(found)
}

/// Takes names and images out of the index; where nobody else is at work, with what only they needed. Yields how much that was.
fn remove(
    layout: &Layout,
    names: &BTreeSet<String>,
    digests: &BTreeSet<Digest>,
    holding: Holding,
) -> Result<Option<u64>, Failure> {
    if holding == Holding::Shared {
        layout.unname(names)?;
        layout.unlist(digests)?;
        return Ok(None);
    }
    Ok(Some(layout.remove(names, digests)?))
}
