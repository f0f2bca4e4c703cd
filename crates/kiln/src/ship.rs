//! What happens to an image once it is built: it is scanned, judged, signed, verified and named.

mod evidence;
mod keys;
mod output;
mod provenance;
mod seal;

pub(crate) use evidence::{archive, base, lock_facts};
pub(crate) use keys::{Keys, key_below, read_public};
pub(crate) use output::{Target, write};
pub(crate) use seal::{REQUIRED, seal, verify};
