#![no_main]
//! SBOMs of any format; what is read can be written, and read again to the same.

use kiln_sbom::{Document, FORMATS, DocumentSubject, read};
use libfuzzer_sys::fuzz_target;

const HEADS: [&[u8]; 4] = [
    b"",
    br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":"#,
    br#"{"spdxVersion":"SPDX-2.3","packages":"#,
    br#"{"@context":"x","@graph":[{"type":"CreationInfo"},"#,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(inventory) = read(&[HEADS[usize::from(*first) % HEADS.len()], rest].concat()) else { return };
    let subject = DocumentSubject { name: "a".to_owned(), tag: None, digest: None, arch: None };
    for format in FORMATS {
        let created = "2026-01-02T03:04:05Z";
        let text = (format.render)(&Document {
            subject: &subject,
            inventory: &inventory,
            created,
            tool_version: "0",
        });
        let again = read(text.as_bytes()).expect("what kiln writes it reads");
        assert!(again.packages.len() <= inventory.packages.len());
    }
});
