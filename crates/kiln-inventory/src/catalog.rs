/// Which catalog read a layer: a hash over the code that decides what is found in one. Facts that another catalog found are read
/// again. A test holds it: `UPDATE=1 cargo test -p kiln-inventory catalog` writes it anew.
pub const CATALOG: u64 = 0xa9d7_b3e7_8994_cf96;
