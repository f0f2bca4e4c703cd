//! The public keys of the Debian archive. See `keys/README.md`.

/// The armoured keys that may sign a release of Debian 12 or 13: both, since a release is signed with the keys
/// of the one before too.
pub(crate) const DEBIAN: [&str; 6] = [
    include_str!("../keys/debian-archive-bookworm-automatic.asc"),
    include_str!("../keys/debian-archive-bookworm-security-automatic.asc"),
    include_str!("../keys/debian-archive-bookworm-stable.asc"),
    include_str!("../keys/debian-archive-trixie-automatic.asc"),
    include_str!("../keys/debian-archive-trixie-security-automatic.asc"),
    include_str!("../keys/debian-archive-trixie-stable.asc"),
];
