//! What this machine needs for kiln to work well, looked at one by one, each with its cure.

mod found;
mod images;
mod machine;
mod sandbox;

pub(crate) use self::found::{Found, State};
use crate::context::Context;

/// Looks at everything. With `repair`, what is wrong in the store is put right.
pub(crate) fn examine(context: &Context, repair: bool) -> Vec<Found> {
    let mut found =
        vec![machine::kernel(), sandbox::namespaces(context), sandbox::limits(), machine::subordinate_ids()];
    found.extend(machine::disks(context));
    found.push(machine::clock(context));
    found.push(machine::logins());
    found.push(machine::advisories(context));
    found.extend(images::store(context, repair));
    found
}
