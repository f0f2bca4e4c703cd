//! What happens to an image once it is built: it is scanned, judged, signed, verified and named.

mod output;

pub(crate) use output::{ShipTarget, write};
