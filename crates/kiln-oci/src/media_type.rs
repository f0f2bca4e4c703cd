//! The media types kiln reads and writes.

/// OCI image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer, plain tar.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// OCI layer, tar in gzip.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// OCI layer, tar in zstd.
pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The empty config of an artifact: the two bytes `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Docker's manifest list.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's image manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's layer, plain tar.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// Docker's layer, tar in gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Sigstore bundle, version 0.3.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The version behind `0.` of a Sigstore bundle, in either of the spellings that are written; `None` of any other type.
/// Source: sigstore protobuf-specs, `sigstore_bundle.proto`.
pub fn bundle_version(media_type: &str) -> Option<u8> {
    let rest = media_type.strip_prefix("application/vnd.dev.sigstore.bundle")?;
    let minor = match rest.strip_prefix("+json;version=0.") {
        Some(minor) => minor,
        None => rest.strip_prefix(".v0.")?.strip_suffix("+json")?,
    };
    match minor {
        "1" => Some(1),
        "2" => Some(2),
        "3" => Some(3),
        _ => None,
    }
}

/// Whether the type names an index in either spelling.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, INDEX | DOCKER_INDEX)
}

/// Whether the type names an image manifest in either spelling.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, MANIFEST | DOCKER_MANIFEST)
}

/// The OCI spelling of a layer's type.
pub fn oci_layer(media_type: &str) -> String {
    match media_type {
        DOCKER_LAYER => LAYER,
        DOCKER_LAYER_GZIP => LAYER_GZIP,
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_have_two_spellings_and_three_versions() {
        assert_eq!(bundle_version(SIGSTORE_BUNDLE), Some(3));
        for version in [1, 2, 3] {
            let base = "application/vnd.dev.sigstore.bundle";
            assert_eq!(bundle_version(&format!("{base}+json;version=0.{version}")), Some(version));
            assert_eq!(bundle_version(&format!("{base}.v0.{version}+json")), Some(version));
        }
        for other in [
            "application/vnd.dev.sigstore.bundle+json",
            "application/vnd.dev.sigstore.bundle+json;version=0.9",
            "application/vnd.dev.sigstore.bundle.v0.3",
            "application/vnd.dev.sigstore.bundle.v0.33+json",
            "application/vnd.dev.sigstore.bundle+json;version=0.3+json",
            INDEX,
        ] {
            assert_eq!(bundle_version(other), None, "{other}");
        }
    }
}
