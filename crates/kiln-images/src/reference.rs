use kiln_finding::Failure;
use kiln_oci::Reference;

/// Reads a reference that a user wrote.
pub fn read_reference(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| {
        Failure::usage(format!("read the image name `{text}`")).with_cause(format!("{error}"))
    })
}
