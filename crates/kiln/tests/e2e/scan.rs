//! What `kiln scan` takes out, plans and writes.

use std::fs;

use kiln_attest::{Statement, predicate};
use kiln_image::Sink;
use kiln_oci::Digest;
use kiln_sign::{KeyPair, attach};
use kiln_store::Layout;
use serde_json::{Value, json};

use crate::harness::{Run, World, needs, project};
use crate::images::vulnerable;

const MOMENT: &str = "GHSA-wc69-rhjr-hc9g";

fn scan(world: &World, image: &str, more: &[&str]) -> Value {
    let args = ["scan", image, "--format", "json"].into_iter().chain(more.iter().copied());
    world.run(args).exits(0).json()[0].take()
}

fn ids(scan: &Value, list: &str) -> Vec<String> {
    let matches = scan["report"][list].as_array().into_iter().flatten();
    matches.map(|found| found["id"].as_str().unwrap().to_owned()).collect()
}

fn openvex(product: &str) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.invalid/1", "author": "ada", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [{"vulnerability": {"name": MOMENT}, "products": [{"@id": product}], "status": "not_affected",
                        "justification": "vulnerable_code_not_in_execute_path"}],
    })
}

#[test]
fn a_vex_document_takes_out_what_it_names_and_nothing_else() {
    let world = World::new();
    let image = vulnerable(&world);
    assert!(ids(&scan(&world, &image, &[]), "matches").contains(&MOMENT.to_owned()));
    fs::write(world.path("vex.json"), openvex("pkg:npm/moment").to_string()).unwrap();
    let with = scan(&world, &image, &["--vex", "vex.json"]);
    assert!(!ids(&with, "matches").contains(&MOMENT.to_owned()));
    assert_eq!(ids(&with, "suppressed"), [MOMENT]);
    assert_eq!(
        (&with["vex"][0]["applied"], &with["report"]["suppressed"][0]["by"]["author"]),
        (&1.into(), &"ada".into())
    );
    fs::write(world.path("other.json"), openvex("pkg:npm/lodash").to_string()).unwrap();
    let run = world.run(["scan", &image, "--vex", "other.json", "--explain-vex"]).exits(0);
    assert!(
        run.stdout.contains("not applied: its product `pkg:npm/lodash` is neither this image nor"),
        "{}",
        run.stdout
    );
    fs::write(world.path("kiln.toml"), "[scan]\nvex = [\"vex.json\"]\n").unwrap();
    assert_eq!(ids(&scan(&world, &image, &[]), "suppressed"), [MOMENT]);
    world.run(["scan", &image, "--vex", "kiln.toml"]).exits(3);
    world.run(["scan", &image, "--vex", "none.json"]).exits(2);
}

#[test]
fn a_vex_statement_on_the_image_counts_only_with_a_signature_of_the_given_key() {
    let world = World::new();
    let image = vulnerable(&world);
    world.run(["keygen", "--output-key-prefix", "other"]).exits(0);
    let layout = Layout::open(&world.path("layout")).unwrap();
    let descriptor = kiln_image::Source::resolve(&layout, "1").unwrap().unwrap();
    let key = KeyPair::generate().unwrap();
    fs::write(world.path("mine.pub"), key.public().unwrap().to_pem()).unwrap();
    let digest: Digest = descriptor.digest;
    let statement =
        Statement::about(&digest, predicate::OPENVEX, openvex(&format!("pkg:oci/layout@{digest}")));
    let attached =
        attach(&key.sign(&statement).unwrap(), predicate::OPENVEX, &descriptor, "2026-01-01T00:00:00Z");
    for (content, bytes) in [&attached.config, &attached.bundle, &attached.manifest] {
        layout.put(content, &mut bytes.as_slice()).unwrap();
    }
    layout.publish(&attached.manifest.0, None).unwrap();
    let without = world.run(["scan", &image, "--format", "json"]).exits(0);
    assert_eq!(ids(&without.json()[0], "suppressed"), Vec::<String>::new());
    assert_eq!(without.json()[0]["vex_unverified"], 1);
    assert!(without.stderr.contains("not applied: 1 VEX document lies on"), "{}", without.stderr);
    assert_eq!(world.run(["scan", &image, "--quiet"]).exits(0).stderr, "");
    assert_eq!(scan(&world, &image, &["--vex-key", "mine.pub"])["vex_unverified"], Value::Null);
    assert_eq!(ids(&scan(&world, &image, &["--vex-key", "mine.pub"]), "suppressed"), [MOMENT]);
    let other = world.run(["scan", &image, "--vex-key", "other.pub", "--format", "json"]).exits(0);
    assert_eq!(ids(&other.json()[0], "suppressed"), Vec::<String>::new());
    assert!(other.stderr.contains("not applied: a statement on"), "{}", other.stderr);
}

#[test]
fn exceptions_of_kiln_toml_hold_in_scans_too_until_their_day() {
    let world = World::new();
    let image = vulnerable(&world);
    let exception = |expires: &str| {
        format!(
            "[[exception]]\nid = \"CVE-2022-31129\"\nsubject = \"moment@*\"\nreason = \"never parses\"\nowner = \"ada\"\nexpires = \"{expires}\"\n"
        )
    };
    fs::write(world.path("kiln.toml"), exception("2999-01-01")).unwrap();
    let excepted = scan(&world, &image, &[]);
    assert_eq!(ids(&excepted, "suppressed"), [MOMENT]);
    assert_eq!(excepted["exceptions"][0]["state"], "applied");
    fs::write(world.path("kiln.toml"), exception("2020-01-01")).unwrap();
    let expired = scan(&world, &image, &[]);
    assert!(ids(&expired, "matches").contains(&MOMENT.to_owned()));
    assert_eq!(expired["exceptions"][0]["state"], "expired");
}

#[test]
fn severities_are_a_list_or_a_least_one_and_the_gate_sees_all() {
    let world = World::new();
    let image = vulnerable(&world);
    let shown = |list: &str| {
        let scan = scan(&world, &image, &["--severity", list]);
        let matches = scan["report"]["matches"].as_array().unwrap();
        matches.iter().map(|found| found["severity"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!shown("high").is_empty() && shown("high").iter().all(|severity| severity == "high"));
    assert!(
        shown("medium+").iter().all(|severity| ["medium", "high", "critical"].contains(&severity.as_str()))
    );
    world.run(["scan", &image, "--severity", "low", "--fail-on", "high", "--allow-unknown"]).exits(1);
    world.run(["scan", &image, "--severity", "bad"]).exits(2);
    let none = world.run(["scan", &image, "--severity", "negligible"]).exits(0).stdout;
    assert!(none.contains("none of severity negligible; ") && none.contains(" not shown ("), "{none}");
    world.run(["scan", &image, "--fail-on", "malware", "--allow-unknown=coverage,unread"]).exits(0);
    world.run(["scan", &image, "--fail-on", "malware,fixable", "--allow-unknown"]).exits(1);
    let open = world.run(["scan", &image, "--fail-on", "epss>0.99"]).exits(3);
    assert!(open.stderr.contains("--allow-unknown="), "{}", open.stderr);
    world.run(["scan", &image, "--fail-on", "high", "--allow-unknown=all,bad"]).exits(2);
    world.run(["scan", &image, "--fail-on", "bad"]).exits(2);
}

#[test]
fn a_plan_removes_what_can_be_removed_and_says_what_stays() {
    let world = World::new();
    let image = vulnerable(&world);
    let run = world.run(["scan", &image, "--fix-plan"]).exits(0);
    assert!(
        run.stdout.contains("moment 2.24.0 → 2.29.4") && run.stdout.contains("after this remain"),
        "{}",
        run.stdout
    );
    let planned = scan(&world, &image, &["--fix-plan"]);
    let removed: usize = planned["plan"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["removes"].as_array().unwrap().len())
        .sum();
    let stays = planned["plan"]["remains"].as_array().map_or(0, Vec::len);
    assert_eq!(removed + stays, planned["report"]["matches"].as_array().unwrap().len());
}

#[test]
fn documents_of_findings_follow_their_schemas() {
    if !needs(&["documents", "junit", "sarif"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    fs::write(world.path("vex.json"), openvex("pkg:npm/moment").to_string()).unwrap();
    fs::write(world.path("Dockerfile"), "FROM node:latest\nRUN cd /tmp && sudo ls\nENTRYPOINT node x\n")
        .unwrap();
    let mut files = Vec::new();
    for format in ["json", "sarif", "cyclonedx", "gitlab", "junit"] {
        let run = world.run(["scan", &image, "--fix-plan", "--vex", "vex.json", "--format", format]).exits(0);
        let path = world.path(&format!("scan.{format}"));
        fs::write(&path, run.stdout).unwrap();
        files.push(path);
    }
    let locks = project().join("crates/kiln-node/tests/locks");
    fs::create_dir(world.path("app")).unwrap();
    fs::copy(locks.join("package.json"), world.path("app/package.json")).unwrap();
    fs::copy(locks.join("npm-3.json"), world.path("app/package-lock.json")).unwrap();
    let folder = world.run(["scan", "dir:app", "--format", "gitlab"]).exits(0);
    assert!(folder.stdout.contains("\"file\":\"package-lock.json\""), "{}", folder.stdout);
    files.push(world.path("folder.gitlab"));
    fs::write(files.last().unwrap(), folder.stdout).unwrap();
    for format in ["sarif", "junit"] {
        let lint = world.run(["lint", "Dockerfile", "--format", format]);
        files.push(world.path(&format!("lint.{format}")));
        fs::write(files.last().unwrap(), lint.stdout).unwrap();
    }
    // Scorecards, as they are written of one that has everything in it.
    let golden = project().join("crates/kiln-report/tests/golden");
    files.extend(["sink-sarif.sarif", "sink-junit.xml"].map(|name| golden.join(name)));
    let mut command = std::process::Command::new(project().join("target/peers/bin/python"));
    Run::of(command.arg(project().join("ci/validate_documents.py")).args(&files)).exits(0);
}

/// The library that vexctl reads with takes the document; kiln takes out by it what was taken out before.
#[test]
fn what_was_taken_out_is_written_as_openvex_for_others() {
    let world = World::new();
    let image = vulnerable(&world);
    fs::write(world.path("vex.json"), openvex("pkg:npm/moment").to_string()).unwrap();
    let run = world.run(["scan", &image, "--vex", "vex.json", "--format", "openvex"]).exits(0);
    fs::write(world.path("taken.json"), &run.stdout).unwrap();
    let again = scan(&world, &image, &["--vex", "taken.json"]);
    assert_eq!(ids(&again, "suppressed"), [MOMENT]);
    assert!(!ids(&again, "matches").is_empty());
    if needs(&["vex"]) {
        let mut command = std::process::Command::new(project().join("target/peers/bin/validate-vex"));
        let read = Run::of(command.arg(world.path("taken.json"))).exits(0);
        assert!(read.stdout.contains(&format!("{MOMENT} not_affected")), "{}", read.stdout);
        assert!(read.stdout.contains("under_investigation"), "{}", read.stdout);
    }
}

#[test]
fn every_format_is_written_and_those_for_one_image_refuse_two() {
    let world = World::new();
    let image = vulnerable(&world);
    for format in ["markdown", "junit", "gitlab", "github", "sarif", "cyclonedx", "openvex"] {
        let run = world.run(["scan", &image, "--format", format]).exits(0);
        assert!(run.stdout.contains(MOMENT), "{format}: {}", run.stdout);
        let again = world.run(["scan", &image, "--format", format]).exits(0);
        assert_eq!(run.stdout.len(), again.stdout.len(), "{format}");
    }
    for format in ["gitlab", "cyclonedx", "openvex"] {
        world.run(["scan", &image, &image, "--format", format]).exits(2);
    }
    world.run(["version", "--format", "junit"]).exits(2);
}

/// When advisories are stale is said in kiln.toml, for each feed; what is stale is told first, and passes.
#[test]
fn the_age_of_advisories_is_told_in_the_first_line() {
    let world = World::new();
    fs::create_dir(world.path("app")).unwrap();
    let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/ms":{"version":"2.1.3"}}}"#;
    fs::write(world.path("app/package-lock.json"), lock).unwrap();
    let first = |settings: &str| {
        fs::write(world.path("kiln.toml"), settings).unwrap();
        let run = world.run(["scan", "dir:app", "--fail-on", "low"]).exits(0);
        run.stdout.lines().next().unwrap().to_owned()
    };
    assert!(first("").starts_with("app; stale advisories: npm ("), "{}", first(""));
    assert_eq!(first("[database]\nstale-after = 99999\n"), "app");
    assert_eq!(first("[database]\nstale-after = { default = 0, npm = 99999 }\n"), "app");
    assert_eq!(first("[database]\nstale-after = { npm = 1 }\n"), first(""));
    fs::write(world.path("kiln.toml"), "[database]\nstale-after = { nmp = 1 }\n").unwrap();
    let wrong = world.run(["scan", "dir:app"]).exits(2);
    assert!(wrong.stderr.contains("`nmp` is no feed"), "{}", wrong.stderr);
}
