//! Digests of what is copied: names, attributes and bytes, and nothing of when or where.

use std::fmt::Write;
use std::io;

use kiln_oci::HashingWriter;
use kiln_rootfs::{Content, Kind};

use super::graph::Copy;
use super::select::Item;
use super::why::Inputs;
use crate::Error;
use crate::error::ErrorKind;

/// Adds everything that the items hold to the inputs of a step, file by file.
pub(super) fn items_digest(items: &[Item<'_>], copy: &Copy, inputs: &mut Inputs) -> Result<(), Error> {
    let excluded = copy.exclusion();
    for item in items {
        inputs.add(
            "item",
            "what is copied",
            format!("{}\0{}", item.name, item.keeps.as_deref().unwrap_or("\0")),
        );
        for (path, entry) in item.tree.below(&item.path) {
            let below = path.as_str()[item.path.as_str().len()..].trim_start_matches('/');
            if !below.is_empty() && excluded(below) {
                continue;
            }
            let attrs = &entry.attrs;
            let mut text = format!("{below}\0{:o} {} {} ", attrs.mode, attrs.uid, attrs.gid);
            for (name, value) in &attrs.xattrs {
                let _ = write!(text, "{name}={value:?} ");
            }
            match &entry.kind {
                Kind::Dir => text.push_str("dir"),
                Kind::Symlink(target) => text.extend(["link ", target]),
                Kind::Hardlink(target) => text.extend(["other ", target.as_str()]),
                Kind::File(content) => text.push_str(
                    &file_digest(content)
                        .map_err(|source| Error::from(ErrorKind::Read { path: path.to_string(), source }))?,
                ),
            }
            inputs.add("file", &format!("`{path}`"), text);
        }
    }
    Ok(())
}

fn file_digest(content: &Content) -> io::Result<String> {
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(&mut content.open()?, &mut hasher)?;
    Ok(hasher.finish().1.to_string())
}
