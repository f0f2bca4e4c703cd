use super::cyclonedx_json;
use crate::Format;

/// CycloneDX 1.7 as JSON. Source: cyclonedx.org/docs/1.7/json.
pub(super) static FORMAT: Format = Format {
    name: "cyclonedx-1.7-json",
    version: "1.7",
    extension: ".cdx.json",
    predicate_type: "https://cyclonedx.org/bom",
    render: |document| cyclonedx_json::write(document, "1.7"),
};
