use kiln_pkg::{IndicatorKind, Inventory};

use crate::verdict::{fail, pass, unknown};
use crate::wording::list;
use crate::{Evidence, Judged, Unknown};

/// The reader whose failure means that files were not even looked at. The others read the contents of packages.
const LAYER: &str = "layer";

/// Passes where the finished image holds no file of these kinds.
pub(crate) fn none_of(evidence: &Evidence, kinds: &[IndicatorKind], noun: &str, cure: &str) -> Judged {
    let inventory = evidence.inventory()?;
    let found: Vec<&str> = inventory
        .indicators
        .iter()
        .filter(|indicator| !indicator.deleted && kinds.contains(&indicator.kind))
        .map(|indicator| indicator.place.path.as_str())
        .collect();
    if !found.is_empty() {
        return fail(format!("/{}", list(&found, 4).replace(", ", ", /")), cure);
    }
    all_seen(inventory)?;
    pass(format!("no {noun} in {}", crate::wording::count(inventory.layers.len(), "layer")))
}

/// Nothing, or that some files were not looked at.
pub(crate) fn all_seen(inventory: &Inventory) -> Result<(), Unknown> {
    if inventory.layers.is_empty() {
        return unknown("no layer was looked at", "kiln scan the image, not a list of its packages");
    }
    match inventory.unread.iter().find(|unread| unread.reader == LAYER) {
        Some(unread) => unknown(
            format!("{} could not be read: {}", unread.path, unread.why),
            "split or shrink the layer, and build again",
        ),
        None => Ok(()),
    }
}
