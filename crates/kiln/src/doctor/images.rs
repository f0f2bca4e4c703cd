use std::collections::BTreeSet;

use kiln_finding::Failure;
use kiln_oci::Digest;
use kiln_store::{Condition, Layout};

use super::found::Found;
use crate::context::Context;
use crate::folders;

/// How many names are listed in one line.
const SHOWN: usize = 3;

/// Whether every blob is what its name says, and every name leads to a whole image.
pub(super) fn store(context: &Context, repair: bool) -> Vec<Found> {
    let about = "store";
    if !context.machine.store().join("index.json").exists() {
        return vec![Found::fine(about, "nothing is kept yet")];
    }
    let looked = || {
        // Others may work meanwhile: what they add is whole, and nobody prunes.
        let _lock = folders::shared(&context.machine.data_dir)?;
        let layout = context.machine.layout()?;
        // The blobs first: what is put aside is missing to the names.
        let blobs = blobs(&layout, repair)?;
        Ok::<_, Failure>(vec![blobs, names(&layout, repair)?])
    };
    looked().unwrap_or_else(|failure| {
        let cause = failure.told();
        let cure = "run the command again where the disk can be read";
        vec![Found::broken(about, cause, failure.help.unwrap_or_else(|| cure.to_owned()))]
    })
}

fn blobs(layout: &Layout, repair: bool) -> Result<Found, Failure> {
    let about = "blobs of the store";
    let blobs = layout.blobs_here()?;
    let mut wrong = Vec::new();
    for blob in &blobs {
        let condition =
            if repair { layout.check_bytes(&blob.digest)? } else { layout.look_at(&blob.digest)? };
        if condition == Condition::Damaged {
            wrong.push(blob.digest.short());
        }
    }
    if wrong.is_empty() {
        return Ok(Found::fine(about, format!("{}, all of them what their names say", blobs.len())));
    }
    let what = format!("{} of {} are not what their names say: {}", wrong.len(), blobs.len(), list(&wrong));
    Ok(if repair {
        Found::weak(about, format!("{what}; put aside"), "build or pull the images again that need them")
    } else {
        Found::broken(about, what, "kiln doctor --repair puts them aside")
    })
}

fn names(layout: &Layout, repair: bool) -> Result<Found, Failure> {
    let about = "images";
    let entries = match layout.entries() {
        Err(error) if error.is_malformed() => return index(layout, repair, &error),
        entries => entries?,
    };
    let (mut incomplete, mut lost) = (Vec::new(), BTreeSet::<Digest>::new());
    for entry in &entries {
        let (_, missing) = layout.needs(&entry.manifest)?;
        if !missing.is_empty() {
            incomplete.push(entry.name.clone().unwrap_or_else(|| entry.manifest.digest.short()));
            lost.insert(entry.manifest.digest);
        }
    }
    if incomplete.is_empty() {
        return Ok(Found::fine(about, format!("{} manifests, all of them whole", entries.len())));
    }
    let what = format!("{} of {} are not whole: {}", incomplete.len(), entries.len(), list(&incomplete));
    Ok(if repair {
        layout.unlist(&lost)?;
        Found::weak(about, format!("{what}; removed from the index"), "build or pull them again")
    } else {
        Found::broken(
            about,
            what,
            "build or pull them again, or kiln doctor --repair removes them from the index",
        )
    })
}

/// The index cannot be read.
fn index(layout: &Layout, repair: bool, error: &kiln_store::Error) -> Result<Found, Failure> {
    let about = "images";
    if !repair {
        let cure = "kiln doctor --repair makes one of what is there; names are lost";
        return Ok(Found::broken(about, error.to_string(), cure));
    }
    let count = layout.rebuild_index()?;
    let what = format!("{error}; it was put aside, and {count} manifests are listed without a name");
    Ok(Found::weak(about, what, "build or pull the images again, so that they have their names"))
}

fn list(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
