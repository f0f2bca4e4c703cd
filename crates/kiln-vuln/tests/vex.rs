//! VEX documents in the forms that tools write, applied to one finding in one image.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_attest::Vex;
use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Package};
use kiln_vuln::{Fix, Match, Suppression, VexSource, VexTarget, VexUse, VulnerabilityReport, apply_vex};
use proptest::prelude::*;
use serde_json::{Value, json};

const NAME: &str = "registry.example.invalid/team/app";

fn digest() -> Digest {
    Digest::of(b"image")
}

fn report() -> VulnerabilityReport {
    let package = Package::new(Ecosystem::Npm, "@scope/ms", "2.1.3");
    let found = Match {
        aliases: vec!["CVE-2026-1".to_owned()],
        ..Match::new("GHSA-aaaa-bbbb-cccc", Severity::High, &package, Fix::None)
    };
    VulnerabilityReport {
        matches: vec![found],
        suppressed: Vec::new(),
        coverage: Vec::new(),
        end_of_life: Vec::new(),
        unread: Vec::new(),
        unseen: Vec::new(),
        database: digest(),
        as_of: None,
    }
}

fn apply(documents: &[Value]) -> (VulnerabilityReport, Vec<VexUse>) {
    let mut report = report();
    let target =
        VexTarget { name: Some(NAME.to_owned()), tag: Some("1.2".to_owned()), digests: vec![digest()] };
    let source = |document: &Value| VexSource {
        place: "vex.json".to_owned(),
        document: Vex::read(document.to_string().as_bytes()).unwrap(),
    };
    let sources: Vec<VexSource> = documents.iter().map(source).collect();
    let uses = apply_vex(&mut report, &target, &sources);
    (report, uses)
}

fn openvex(status: &str, products: Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.example.invalid/1", "author": "ada", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [{"vulnerability": {"name": "CVE-2026-1"}, "products": products, "status": status,
                        "justification": "vulnerable_code_not_in_execute_path"}],
    })
}

fn clears(products: Value) -> bool {
    apply(&[openvex("not_affected", products)]).0.matches.is_empty()
}

#[test]
fn products_are_known_by_all_their_names() {
    let hex = digest().hex();
    for id in [
        format!("pkg:oci/app@sha256:{hex}?repository_url=registry.example.invalid/team/app"),
        format!("pkg:oci/app@sha256%3A{hex}?repository_url=registry.example.invalid%2Fteam&tag=1.2"),
        format!("pkg:oci/app@sha256:{hex}"),
        "pkg:oci/app".to_owned(),
        "pkg:oci/app?tag=1.2".to_owned(),
        "pkg:docker/team/app@1.2".to_owned(),
        format!("sha256:{hex}"),
        NAME.to_owned(),
        format!("{NAME}:1.2"),
        format!("{NAME}@sha256:{hex}"),
        "team/app".to_owned(),
        "app:1.2".to_owned(),
        "pkg:npm/%40scope/ms@2.1.3".to_owned(),
        "pkg:npm/@scope/ms".to_owned(),
        "pkg:npm/%40scope/ms@2.1.3?arch=amd64".to_owned(),
    ] {
        assert!(clears(json!([{"@id": id}])), "{id}");
        assert!(
            clears(json!([{"@id": "https://names.example.invalid/x", "identifiers": {"purl": id}}])),
            "{id}"
        );
    }
}

#[test]
fn products_of_others_are_told_apart() {
    for id in [
        "pkg:oci/app@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "pkg:oci/other",
        "pkg:oci/app?repository_url=elsewhere.example.invalid/team/app",
        "pkg:oci/app?tag=1.3",
        "registry.example.invalid/team/app:1.3",
        "pp:1.2",
        "pkg:npm/ms",
        "pkg:npm/%40scope/ms@2.1.4",
        "pkg:deb/debian/ms",
        "",
        "pkg:",
    ] {
        assert!(!clears(json!([{"@id": id}])), "{id}");
    }
}

#[test]
fn subcomponents_limit_a_statement_about_the_image() {
    let image = |part: &str| json!([{"@id": "pkg:oci/app", "subcomponents": [{"@id": part}]}]);
    assert!(clears(image("pkg:npm/%40scope/ms")));
    assert!(!clears(image("pkg:npm/lodash")));
    let (_, uses) = apply(&[openvex("not_affected", image("pkg:npm/lodash"))]);
    assert_eq!(
        uses[0].why.as_deref(),
        Some("its subcomponent `pkg:npm/lodash` is not pkg:npm/%40scope/ms@2.1.3")
    );
}

#[test]
fn who_said_what_is_kept_and_what_took_out_nothing_is_explained() {
    let (report, uses) = apply(&[openvex("not_affected", json!(["pkg:oci/app"]))]);
    let Suppression::Vex { author, status, reason, .. } = &report.suppressed[0].by else { panic!() };
    assert_eq!((author.as_str(), status.as_str()), ("ada", "not_affected"));
    assert_eq!(reason.as_deref(), Some("vulnerable_code_not_in_execute_path"));
    assert_eq!((uses[0].applied, &uses[0].why), (1, &None));
    let (report, uses) = apply(&[openvex("affected", json!(["pkg:oci/app"]))]);
    assert_eq!(report.matches.len(), 1);
    assert_eq!(uses[0].why.as_deref(), Some("`affected` takes nothing out"));
}

#[test]
fn the_newest_statement_counts() {
    let mut document = openvex("affected", json!(["pkg:oci/app"]));
    let mut older = document["statements"][0].clone();
    older["status"] = json!("not_affected");
    older["timestamp"] = json!("2025-01-01T00:00:00Z");
    document["statements"].as_array_mut().unwrap().push(older);
    assert_eq!(apply(&[document.clone()]).0.matches.len(), 1);
    // A later document overrules an earlier one.
    assert!(apply(&[document, openvex("fixed", json!(["pkg:oci/app"]))]).0.matches.is_empty());
}

#[test]
fn cyclonedx_is_read_with_links_and_references() {
    let document = |target: &str, state: &str| {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1",
            "metadata": {"component": {"type": "container", "name": "app", "bom-ref": "root"}},
            "components": [{"type": "library", "name": "ms", "bom-ref": "p1", "purl": "pkg:npm/%40scope/ms@2.1.3"}],
            "vulnerabilities": [{"id": "GHSA-aaaa-bbbb-cccc", "affects": [{"ref": target}],
                "analysis": {"state": state, "justification": "code_not_reachable", "detail": "never called"}}]})
    };
    for target in ["p1", "root", "pkg:npm/%40scope/ms@2.1.3", "urn:cdx:f08a6ccd/1#pkg:npm/%40scope/ms@2.1.3"]
    {
        assert!(apply(&[document(target, "not_affected")]).0.matches.is_empty(), "{target}");
    }
    assert!(apply(&[document("p1", "resolved")]).0.matches.is_empty());
    assert_eq!(apply(&[document("p1", "in_triage")]).0.matches.len(), 1);
    assert_eq!(apply(&[document("pkg:npm/other", "not_affected")]).0.matches.len(), 1);
}

#[test]
fn what_is_no_vex_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"@context":"https://example.invalid"}"#,
        r#"{"@context":"https://openvex.dev/ns/v0.2.0"}"#,
        r#"{"@context":"https://openvex.dev/ns","statements":[{"vulnerability":"CVE-1","status":"fine"}]}"#,
    ] {
        assert!(Vex::read(text.as_bytes()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn openvex_reads_back_what_it_writes(
        ids in prop::collection::vec("[A-Z]{3}-[0-9]{1,4}", 1..3), product in "[a-z:/@.]{1,12}", part in "[a-z]{1,5}", status in 0_usize..4,
    ) {
        let status = ["not_affected", "affected", "fixed", "under_investigation"][status];
        let written = json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "ada", "timestamp": "2026-01-01T00:00:00Z",
            "version": 1, "statements": [{"vulnerability": {"name": ids[0], "aliases": ids[1..]}, "products": [{"@id": product,
            "subcomponents": [{"@id": part}]}], "status": status}]});
        let vex = Vex::read(written.to_string().as_bytes()).unwrap();
        let again = Vex::read(vex.to_openvex("2026-01-01T00:00:00Z").to_string().as_bytes()).unwrap();
        prop_assert_eq!(vex, again);
    }

    #[test]
    fn hostile_names_never_panic(id in "\\PC{0,40}") {
        apply(&[openvex("fixed", json!([{"@id": id, "subcomponents": [{"@id": id}]}]))]);
    }
}
