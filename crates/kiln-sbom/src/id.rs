use kiln_oci::Digest;

/// A UUID in the layout of version 8 (RFC 9562 §5.8) out of the digest of `text`.
pub(crate) fn uuid(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Letters, digits, dots and dashes only, as SPDX ids want; what else there is becomes a dash.
pub(crate) fn spdx(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

/// An id that is the same for the same package in every document, from letters, digits, dots and dashes.
pub(crate) fn element(package: &kiln_pkg::Package) -> String {
    let hash = Digest::of(package.key().as_bytes()).short();
    format!("{}-{}-{hash}", package.ecosystem.as_str(), spdx(&package.name))
}

/// A reference to a licence that is no SPDX expression, by its text.
pub(crate) fn licence(declared: &str) -> String {
    let start: String = declared.chars().take(32).collect();
    format!("LicenseRef-{}-{}", spdx(&start), Digest::of(declared.as_bytes()).short())
}
