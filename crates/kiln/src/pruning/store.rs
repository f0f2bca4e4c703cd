use kiln_finding::Failure;
use kiln_store::{Layout, Spare};

use super::{Gone, Order};

/// Removes from the store what no name leads to. Nobody else may use it meanwhile.
pub(crate) fn prune_store(layout: &Layout, order: &Order) -> Result<Vec<Gone>, Failure> {
    let spare = Spare {
        unnamed_since: (!order.all).then_some(order.before),
        blobs_since: (order.counts_for_blobs && !order.all).then_some(order.before),
    };
    let removed = layout.prune(spare, order.only_look)?;
    let (damaged, damaged_bytes) = removed.damaged;
    Ok(vec![
        Gone { kind: "manifests without a name", count: removed.entries.len() as u64, bytes: 0 },
        Gone { kind: "blobs that nothing needs", count: removed.blobs, bytes: removed.bytes },
        Gone { kind: "damaged blobs", count: damaged, bytes: damaged_bytes },
    ])
}
