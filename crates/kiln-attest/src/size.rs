/// The largest bundle that is read, in bytes.
pub const BUNDLE_MAX: usize = 32 << 20;
