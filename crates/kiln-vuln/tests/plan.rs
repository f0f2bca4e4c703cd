//! What to change, and what that leaves, in an image that has a bit of everything.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Inventory, Layer, Package, Place, Source};
use kiln_vuln::build::Builder;
use kiln_vuln::{Database, Date, Plan, StepKind, Terms, VulnerabilityReport, check, plan};

fn record(id: &str, ecosystem: &str, name: &str, ranges: &[(&str, Option<&str>)]) -> String {
    let range = |(low, high): &(&str, Option<&str>)| {
        let fixed = high.map(|high| format!(r#",{{"fixed":"{high}"}}"#)).unwrap_or_default();
        format!(r#"{{"type":"ECOSYSTEM","events":[{{"introduced":"{low}"}}{fixed}]}}"#)
    };
    let ranges: Vec<String> = ranges.iter().map(range).collect();
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{}]}}]}}"#,
        ranges.join(",")
    )
}

fn database() -> Vec<u8> {
    let records = [
        record("CVE-2026-0001", "Debian:13", "openssl", &[("0", Some("3.5.1-2"))]),
        record("CVE-2026-0002", "Debian:13", "openssl", &[("0", None)]),
        record("GHSA-2222-2222-0001", "npm", "express", &[("0", Some("4.18.0"))]),
        record("GHSA-2222-2222-0002", "npm", "qs", &[("0", Some("6.7.3"))]),
        // The version that fixes the first has this one.
        record("GHSA-2222-2222-0003", "npm", "qs", &[("6.7.0", Some("6.9.1")), ("6.10.0", Some("6.10.3"))]),
        record("GHSA-2222-2222-0004", "npm", "lodash", &[("0", None)]),
        record("GHSA-2222-2222-0005", "npm", "tar", &[("0", Some("7.5.0"))]),
    ];
    let mut builder = Builder::default();
    builder.add("feed", records.join("\n").as_bytes(), None).unwrap();
    builder.finish("2026-01-02".parse().unwrap()).unwrap()
}

fn npm(name: &str, version: &str, direct: &[&str], needs: &[&str]) -> Package {
    Package {
        direct: direct.iter().map(|&direct| direct.to_owned()).collect(),
        depends_on: needs.iter().map(|&key| key.to_owned()).collect(),
        places: vec![Place {
            path: format!("app/node_modules/{name}/package.json"),
            layer: Some(Digest::of(b"app")),
        }],
        ..Package::new(Ecosystem::Npm, name, version)
    }
}

fn inventory() -> Inventory {
    let express = "express@4.17.1";
    let openssl = Package {
        distro: Some("debian-13".to_owned()),
        source: Some(Source { name: "openssl".to_owned(), version: "3.5.1-1".to_owned() }),
        ..Package::new(Ecosystem::Deb, "libssl3t64", "3.5.1-1")
    };
    let tar = Package { group: Some("npm".to_owned()), ..Package::new(Ecosystem::Npm, "tar", "6.2.1") };
    Inventory {
        packages: vec![
            openssl,
            npm("body-parser", "1.19.0", &[express], &["pkg:npm/qs@6.7.0"]),
            npm("express", "4.17.1", &[express], &["pkg:npm/body-parser@1.19.0", "pkg:npm/qs@6.7.0"]),
            npm("lodash", "4.17.21", &["lodash@4.17.21"], &[]),
            npm("qs", "6.7.0", &[express], &[]),
            tar,
        ],
        layers: vec![Layer {
            created_by: Some("COPY node_modules /app".to_owned()),
            ..Layer::new(Digest::of(b"app"))
        }],
        ..Inventory::default()
    }
}

fn planned() -> (VulnerabilityReport, Plan) {
    let bytes = database();
    let database = Database::open(&bytes).unwrap();
    let inventory = inventory();
    let report = check(&database, &inventory, &Terms::on(Date::default())).unwrap();
    let plan = plan(&database, &inventory, &report).unwrap();
    (report, plan)
}

#[test]
fn each_kind_of_change_is_one_step() {
    let (_, plan) = planned();
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{:?}: {} (-{})", step.kind, step.what, step.removes.len()))
        .collect();
    assert_eq!(
        steps,
        [
            "Override: override in package.json, whoever asks for them: qs 6.7.0 → 6.9.1 (-2)",
            "RefreshBase: refresh the base image: libssl3t64 3.5.1-1 → 3.5.1-2 (-1)",
            "DropTool: leave npm out of the image: nothing that runs needs it (-1)",
            "Bump: update the direct dependency express 4.17.1 → 4.18.0 (-1)",
        ]
    );
}

#[test]
fn a_proposed_version_is_one_without_known_fixable_vulnerabilities() {
    let (_, plan) = planned();
    assert_eq!(plan.overrides.get("qs").map(String::as_str), Some("6.9.1"));
    let step = plan.steps.iter().find(|step| step.kind == StepKind::Override).unwrap();
    assert_eq!(step.edit.as_deref(), Some("{\n  \"overrides\": {\n    \"qs\": \"6.9.1\"\n  }\n}"));
    assert!(step.caution.as_ref().unwrap().contains("not known here"));
}

#[test]
fn what_no_change_removes_is_said() {
    let (report, plan) = planned();
    let remains: Vec<String> =
        plan.remains.iter().map(|left| format!("{} in {}: {}", left.id, left.package, left.why)).collect();
    assert_eq!(
        remains,
        [
            "CVE-2026-0002 in libssl3t64@3.5.1-1: no known version is without it",
            "GHSA-2222-2222-0004 in lodash@4.17.21: there is no fix yet",
        ]
    );
    let removed: usize = plan.steps.iter().map(|step| step.removes.len()).sum();
    assert_eq!(removed + plan.remains.len(), report.matches.len());
}

#[test]
fn a_match_says_which_direct_dependency_and_which_instruction_bring_it() {
    let (report, _) = planned();
    let qs = report.matches.iter().find(|found| found.name == "qs").unwrap();
    assert_eq!(qs.path, ["express@4.17.1", "qs@6.7.0"]);
    assert_eq!(qs.layer.as_ref().unwrap().instruction.as_deref(), Some("COPY node_modules /app"));
    let tar = report.matches.iter().find(|found| found.name == "tar").unwrap();
    assert_eq!((tar.tool.as_deref(), tar.path.is_empty()), (Some("npm"), true));
}

#[test]
fn of_several_copies_only_the_named_one_is_overridden() {
    let bytes = database();
    let database = Database::open(&bytes).unwrap();
    let mut inventory = inventory();
    inventory.packages.push(npm("qs", "6.11.0", &["request@2.0.0"], &[]));
    let report = check(&database, &inventory, &Terms::on(Date::default())).unwrap();
    let plan = plan(&database, &inventory, &report).unwrap();
    assert_eq!(plan.overrides.keys().collect::<Vec<_>>(), ["qs@6.7.0"]);
}
