//! Every check: a world that passes everything, one thing changed, exactly one id that no longer passes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use kiln_attest::predicate;
use kiln_finding::{Fact, Severity};
use kiln_pkg::{Ecosystem, Indicator, IndicatorKind, Inventory, Licence, Package, Place, Secret, Unread};
use kiln_policy::{CHECKS, Evidence, LockFacts, Outcome, PolicySettings, Scorecard, Stage, judge};
use kiln_vuln::{Fix, Match};

fn card(change: impl Fn(&mut Evidence)) -> Scorecard {
    let mut evidence = Evidence::fake();
    change(&mut evidence);
    judge(&evidence, &PolicySettings::hardened(), Stage::Attested)
}

fn known<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unknown(why) => panic!("unknown: {why}"),
    }
}

/// The change makes exactly `id` end as `outcome`, and its reason contains `reason`.
#[track_caller]
fn only(id: &str, outcome: Outcome, reason: &str, change: impl Fn(&mut Evidence)) {
    let card = card(change);
    let moved: Vec<_> = card.lines.iter().filter(|line| line.outcome != Outcome::Pass).collect();
    assert_eq!(moved.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), [id], "{moved:#?}");
    assert_eq!(moved[0].outcome, outcome, "{moved:#?}");
    assert!(moved[0].reason.contains(reason), "{}", moved[0].reason);
    assert_eq!(moved[0].cure.is_some(), !outcome.passes());
    assert_eq!(card.passes(), outcome.passes());
}

#[track_caller]
fn fails(id: &str, reason: &str, change: impl Fn(&mut Evidence)) {
    only(id, Outcome::Fail, reason, change);
}

#[track_caller]
fn stays_unknown(id: &str, reason: &str, change: impl Fn(&mut Evidence)) {
    only(id, Outcome::Unknown, reason, change);
}

fn place(path: &str) -> Place {
    Place { path: path.to_owned(), layer: None }
}

fn inventory(evidence: &mut Evidence) -> &mut Inventory {
    known(&mut evidence.inventory)
}

fn indicator(kind: IndicatorKind, path: &'static str) -> impl Fn(&mut Evidence) {
    move |evidence| {
        inventory(evidence).indicators.push(Indicator { kind, place: place(path), deleted: false });
    }
}

fn package(ecosystem: Ecosystem, name: &str, version: &str, licence: Option<&str>) -> Package {
    let mut package = Package::new(ecosystem, name, version);
    package.licence = licence.map(Licence::declared);
    package
}

fn found(severity: Severity, fix: Fix) -> Match {
    let package = Package::new(Ecosystem::Npm, "ms", "2.1.3");
    Match {
        aliases: vec!["CVE-2026-1111".to_owned()],
        places: vec![place("app/node_modules/ms/package.json")],
        ..Match::new("GHSA-aaaa-bbbb-cccc", severity, &package, fix)
    }
}

fn fixed() -> Fix {
    Fix::Version { version: "2.1.4".to_owned() }
}

#[test]
fn the_fake_world_passes_everything() {
    let card = card(|_| ());
    assert!(card.passes(), "{card:#?}");
    assert_eq!(card.lines.len(), CHECKS.len());
    assert!(card.lines.iter().all(|line| line.outcome == Outcome::Pass && line.cure.is_none()));
}

#[test]
fn im001_root_user() {
    for (user, reason) in [
        ("", "no user is set"),
        ("0", "is root"),
        ("0:65532", "is root"),
        ("000", "is root"),
        ("root", "is root"),
        ("node", "no number"),
        ("+5", "no number"),
        ("99999999999", "no number"),
        (":5", "no number"),
    ] {
        fails("IM001", reason, |world| known(&mut world.config).config.user = user.to_owned());
    }
    assert!(card(|world| known(&mut world.config).config.user = "65532:node".to_owned()).passes());
}

#[test]
fn im002_to_im004_indicators() {
    fails("IM002", "/bin/sh", indicator(IndicatorKind::Shell, "bin/sh"));
    fails("IM003", "/usr/bin/npm", indicator(IndicatorKind::PackageManager, "usr/bin/npm"));
    fails("IM004", "/usr/bin/su", indicator(IndicatorKind::SetUid, "usr/bin/su"));
    fails("IM004", "/usr/bin/chage", indicator(IndicatorKind::SetGid, "usr/bin/chage"));
    fails("IM004", "/usr/bin/ping", indicator(IndicatorKind::FileCapabilities, "usr/bin/ping"));
    assert!(card(indicator(IndicatorKind::SourceMap, "app/main.js.map")).passes());
}

#[test]
fn a_layer_that_was_not_read_leaves_its_files_unknown() {
    let unread = Unread { path: "sha256:…".into(), reader: "layer".into(), why: "it is too big".into() };
    let unread = unknown(&card(|world| inventory(world).unread.push(unread.clone())));
    for id in ["IM002", "IM003", "IM004", "IM007", "NA001", "NA003", "PK001", "PK002", "PK003"] {
        assert!(unread.contains(&id.to_owned()), "{id}: {unread:?}");
    }
    // No check that looks at files believes an inventory with a hole.
    let blind = unknown(&card(|world| world.inventory = Fact::Unknown("?".to_owned())));
    assert_eq!(unread, blind);
}

fn unknown(card: &Scorecard) -> Vec<String> {
    let lines = card.lines.iter().filter(|line| line.outcome == Outcome::Unknown);
    lines.map(|line| line.id.clone()).collect()
}

#[test]
fn im005_node_env() {
    fails("IM005", "not set", |world| known(&mut world.config).config.env.clear());
    fails("IM005", "`test`", |world| known(&mut world.config).config.env.push("NODE_ENV=test".to_owned()));
}

#[test]
fn im006_health_check() {
    fails("IM006", "3000/tcp is exposed", |world| known(&mut world.config).config.healthcheck = None);
    for (test, reason) in [
        (vec!["NONE"], "no health check"),
        (vec![], "no health check"),
        (vec!["CMD-SHELL", "curl x"], "shell"),
    ] {
        fails("IM006", reason, |world| {
            let test = test.iter().map(ToString::to_string).collect();
            known(&mut world.config).config.healthcheck.as_mut().unwrap().test = test;
        });
    }
    only("IM006", Outcome::NotApplicable, "no port", |world| {
        let config = &mut known(&mut world.config).config;
        config.healthcheck = None;
        config.exposed_ports = BTreeMap::new();
    });
}

#[test]
fn im007_secrets() {
    let secret = |published| Secret {
        rule: "npm-token".to_owned(),
        place: place("app/.npmrc"),
        shown: "npm_… (40 characters)".to_owned(),
        deleted: true,
        published,
    };
    fails("IM007", "npm-token in app/.npmrc: npm_… (40 characters), deleted later", |world| {
        inventory(world).secrets.push(secret(false));
    });
    fails("IM007", "npm-token", |world| inventory(world).secrets.push(secret(true)));
}

/// A private key in a package of the registry guards nothing; beside it, in another layer or in what is from elsewhere, it is one.
#[test]
fn im007_test_keys_of_packages() {
    let add = |world: &mut Evidence, path: &str, layer: Option<kiln_oci::Digest>, elsewhere: bool| {
        let inventory = inventory(world);
        let mut tunnel = Package::new(Ecosystem::Npm, "tunnel", "0.0.6");
        tunnel.licence = Some(Licence::declared("MIT"));
        tunnel.places = vec![place("app/node_modules/tunnel/package.json")];
        tunnel.elsewhere =
            elsewhere.then(|| kiln_pkg::Elsewhere::Address("https://example.invalid/t.tgz".to_owned()));
        inventory.packages.push(tunnel);
        inventory.secrets.push(Secret {
            rule: "private-key".to_owned(),
            place: Place { path: path.to_owned(), layer },
            shown: "-----BEGIN … (1704 characters)".to_owned(),
            deleted: false,
            published: true,
        });
    };
    let inside = "app/node_modules/tunnel/test/keys/agent.pem";
    let passed = card(|world| add(world, inside, None, false));
    let line = passed.lines.iter().find(|line| line.id == "IM007").unwrap();
    assert!(passed.passes() && line.reason.contains("1 test key"), "{line:#?}");
    let other_layer = kiln_oci::Digest::of(b"app layer");
    for (path, layer, elsewhere) in [
        (inside, Some(other_layer), false),
        ("app/node_modules/own.pem", None, false),
        ("app/node_modules/tunnel/node_modules/x/own.pem", None, false),
    ] {
        fails("IM007", "private-key", |world| add(world, path, layer, elsewhere));
    }
    fails("IM007", "private-key", |world| add(world, "app/node_modules/tunnel/server.pem", None, false));
    // A package with a scope may be of a registry that is not public; what lies elsewhere than an install puts it is the build's.
    for (name, folder) in
        [("@acme/certs", "app/node_modules/@acme/certs"), ("tunnel", "app/dist/node_modules/tunnel")]
    {
        fails("IM007", "private-key", |world| {
            add(world, &format!("{folder}/test/a.pem"), None, false);
            let package = inventory(world).packages.last_mut().unwrap();
            name.clone_into(&mut package.name);
            package.places = vec![place(&format!("{folder}/package.json"))];
        });
    }
    let from_elsewhere = card(|world| add(world, inside, None, true));
    let line = from_elsewhere.lines.iter().find(|line| line.id == "IM007").unwrap();
    assert_eq!(line.outcome, Outcome::Fail);
}

#[test]
fn im008_and_im009_the_base() {
    fails("IM008", "a name only", |world| known(&mut world.base).digest = None);
    for name in ["node:24", "elsewhere/kiln/node:24", "kiln/node:24/x"] {
        fails("IM009", "none of the approved", |world| known(&mut world.base).name = name.to_owned());
    }
}

#[test]
fn im010_size() {
    fails("IM010", "150.0 MB", |world| known(&mut world.size).compressed = 150_000_001);
    assert!(card(|world| known(&mut world.size).compressed = 150_000_000).passes());
}

#[test]
fn na001_dev_dependencies() {
    fails("NA001", "1 installed: typescript@5.9.2", |world| {
        inventory(world).packages.push(package(Ecosystem::Npm, "typescript", "5.9.2", Some("Apache-2.0")));
    });
    fails("NA001", "ms@2.1.3", |world| inventory(world).packages[2].dev = true);
    // Another version may be a production dependency.
    let other = package(Ecosystem::Npm, "typescript", "5.0.0", Some("Apache-2.0"));
    assert!(card(|world| inventory(world).packages.push(other.clone())).passes());
}

#[test]
fn na002_lockfile_integrity() {
    fails("NA002", "pins 1 without a hash: left-pad@1.3.0", |world| {
        known(&mut world.lock).without_integrity.push("left-pad@1.3.0".to_owned());
    });
    only("NA002", Outcome::NotApplicable, "no dependencies", |world| {
        world.lock = Fact::Known(LockFacts::default());
    });
}

#[test]
fn na003_node_line() {
    let node = |version: &'static str| {
        move |world: &mut Evidence| inventory(world).packages[3].version = version.to_owned()
    };
    fails("NA003", "ended on 2026-04-30, 205 days ago", node("20.19.0"));
    fails("NA003", "ended on 2026-06-01", node("v25.1.0"));
    fails("NA003", "ended on 2023-09-11, 1167 days ago", node("16.20.2"));
    stays_unknown("NA003", "not known", node("27.0.0"));
    stays_unknown("NA003", "not known", node("nightly"));
    stays_unknown("NA003", "no Node.js", |world| {
        inventory(world).packages.remove(3);
    });
    // The last day counts as supported; a second runtime is judged too.
    assert!(
        card(|world| {
            node("22.0.0")(world);
            world.today = "2027-04-30".parse().unwrap();
            known(&mut world.archive).as_of = "2027-04-30".to_owned();
        })
        .passes()
    );
    fails("NA003", "18.0.0", |world| {
        inventory(world).packages.push(package(Ecosystem::Node, "node", "18.0.0", None));
    });
}

#[test]
fn pk001_fixable_vulnerabilities() {
    for severity in [Severity::High, Severity::Critical] {
        fails("PK001", "GHSA-aaaa-bbbb-cccc in ms@2.1.3", |world| {
            known(&mut world.vulnerabilities).matches.push(found(severity, fixed()));
        });
    }
    for (severity, fix, reason) in [
        (Severity::Medium, fixed(), "1 less severe with a fix"),
        (Severity::Critical, Fix::None, "1 without a fix"),
        (Severity::Critical, Fix::WontFix, "1 without a fix"),
    ] {
        let card = card(|world| known(&mut world.vulnerabilities).matches.push(found(severity, fix.clone())));
        assert!(card.passes(), "{card:#?}");
        assert!(line(&card, "PK001").reason.contains(reason), "{}", line(&card, "PK001").reason);
    }
    let card =
        card(|world| known(&mut world.vulnerabilities).matches.push(found(Severity::Unknown, fixed())));
    assert_eq!(line(&card, "PK001").outcome, Outcome::Unknown);
    assert!(line(&card, "PK001").reason.contains("nobody has judged"), "{}", line(&card, "PK001").reason);
}

fn line<'a>(card: &'a Scorecard, id: &str) -> &'a kiln_policy::Line {
    card.lines.iter().find(|line| line.id == id).unwrap()
}

/// PK001 and PK002 end as `outcome`, for this reason, and nothing else moves.
#[track_caller]
fn both(outcome: Outcome, reason: &str, change: impl Fn(&mut Evidence)) {
    let card = card(change);
    let moved: Vec<_> = card.lines.iter().filter(|line| line.outcome != Outcome::Pass).collect();
    assert_eq!(
        moved.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(),
        ["PK001", "PK002"],
        "{moved:#?}"
    );
    assert!(moved.iter().all(|line| line.outcome == outcome && line.reason.contains(reason)), "{moved:#?}");
}

#[test]
fn what_has_no_advisories_is_judged_by_the_archive() {
    let card = card(|_| ());
    let line = line(&card, "PK001");
    assert_eq!(line.reason, "none found (advisories of 2026-11-18, archive of 2026-11-15)");
    assert_eq!(
        line.details,
        [
            "no advisories in this snapshot for 1 deb package of debian-13 (libc6), but each is the newest of the \
             signed index of 2026-11-15 (6 days old), so there is no newer version to upgrade to",
            "2 npm packages by advisories of 2026-11-18 (3 days old)",
            "Node.js by advisories of 2026-11-18 (3 days old)",
        ]
    );
    both(Outcome::Fail, "15 days old (at most 14)", |world| {
        known(&mut world.archive).as_of = "2026-11-06".to_owned();
    });
    both(Outcome::Fail, "20 days old", |world| known(&mut world.archive).age_days = 20);
    both(Outcome::Unknown, "no record", |world| world.archive = Fact::Unknown("no record".to_owned()));
    both(Outcome::Unknown, "debian-12", |world| {
        known(&mut world.archive).distribution = "debian-12".to_owned();
    });
    both(Outcome::Unknown, "date", |world| known(&mut world.archive).as_of = "soon".to_owned());
}

#[test]
fn what_nobody_answers_for_is_unknown() {
    both(Outcome::Unknown, "no advisories for 2 npm packages (express, ms)", |world| {
        let why = "there is no slice for it".to_owned();
        known(&mut world.vulnerabilities).coverage[1].covered = kiln_vuln::Covered::None { why };
    });
    both(Outcome::Unknown, "could not be read", |world| {
        let unread = Unread { path: "a".into(), reader: "advisories".into(), why: "no version".into() };
        known(&mut world.vulnerabilities).unread.push(unread);
    });
    let ended = |product: &str, line: &str| kiln_vuln::EndOfLife {
        product: product.to_owned(),
        line: line.to_owned(),
        ended: kiln_vuln::Date::from_days(19_000),
    };
    both(Outcome::Unknown, "debian-10 is end of life since 2022-01-08", |world| {
        known(&mut world.vulnerabilities).end_of_life.push(ended("debian", "10"));
    });
    let bundled = card(|world| {
        let bundles = vec!["app/dist/server.js".to_owned()];
        known(&mut world.vulnerabilities)
            .unseen
            .push(kiln_pkg::Unseen { bundles, ..kiln_pkg::Unseen::at("app") });
    });
    let pk001 = bundled.lines.iter().find(|line| line.id == "PK001").unwrap();
    assert!(pk001.reason.ends_with(", not all was asked about)"), "{}", pk001.reason);
    let told = pk001.details.last().unwrap();
    assert!(told.ends_with("looks as if code of other packages was built into it"), "{told}");
    // NA003 judges that.
    assert!(card(|world| known(&mut world.vulnerabilities).end_of_life.push(ended("node", "16"))).passes());
    both(Outcome::Unknown, "no package was found", |world| {
        known(&mut world.vulnerabilities).coverage.clear();
    });
    both(Outcome::Unknown, "no database", |world| {
        world.vulnerabilities = Fact::Unknown("no database".into());
    });
}

#[test]
fn pk002_known_exploited() {
    fails("PK002", "exploited in the wild: GHSA-aaaa-bbbb-cccc in ms@2.1.3", |world| {
        let exploited = Match { known_exploited: true, ..found(Severity::Low, Fix::None) };
        known(&mut world.vulnerabilities).matches.push(exploited);
    });
}

#[test]
fn pk003_denied_licences() {
    let with = |licence: Option<&'static str>| {
        move |world: &mut Evidence| {
            inventory(world).packages.push(package(Ecosystem::Npm, "x", "1.0.0", licence));
        }
    };
    for denied in [
        "AGPL-3.0-only",
        "AGPL-3.0-or-later",
        "AGPL-3.0",
        "AGPL-1.0",
        "MIT AND AGPL-3.0-only",
        "AGPL-3.0-only OR AGPL-1.0-only",
    ] {
        fails("PK003", "x@1.0.0", with(Some(denied)));
    }
    for allowed in ["MIT OR AGPL-3.0-only", "MIT", "GPL-3.0-only"] {
        assert!(card(with(Some(allowed))).passes(), "{allowed}");
    }
    for unclear in [None, Some("SEE LICENSE IN LICENSE.md")] {
        assert!(line(&card(with(unclear)), "PK003").reason.contains("1 name no licence"), "{unclear:?}");
    }
}

#[test]
fn sg001_to_sg003_statements() {
    for (id, predicate_type) in
        [("SG001", predicate::SIGNATURE), ("SG002", predicate::SPDX), ("SG003", predicate::PROVENANCE)]
    {
        fails(id, "is with the image", |world| {
            known(&mut world.attestations).retain(|attested| attested.predicate_type != predicate_type);
        });
        fails(id, "counts: another key", |world| {
            for attested in
                known(&mut world.attestations).iter_mut().filter(|a| a.predicate_type == predicate_type)
            {
                attested.verified = false;
                attested.detail = "another key".to_owned();
            }
        });
    }
    assert!(
        card(|world| known(&mut world.attestations)[1].predicate_type = predicate::CYCLONEDX.to_owned())
            .passes()
    );
}

#[test]
fn before_signing_no_signature_is_asked() {
    let mut evidence = Evidence::fake();
    evidence.attestations = Fact::Unknown("not signed yet".to_owned());
    let card = judge(&evidence, &PolicySettings::hardened(), Stage::Built);
    assert!(card.passes());
    assert!(card.lines.iter().all(|line| !["SG001", "SG002", "SG003"].contains(&line.id.as_str())));
}

#[test]
fn table_files_and_pages_hold_together() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .collect();
        names.sort();
        names
    };
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert_eq!(list("tests/checks"), ids.iter().map(|id| format!("{id}.md")).collect::<Vec<_>>());
    let files = list("src/checks");
    assert_eq!(files.len(), ids.len());
    for (check, file) in CHECKS.iter().zip(files) {
        assert!(file.starts_with(&format!("{}_", check.id.to_lowercase())), "{file}");
        assert!(
            check.page.starts_with(&format!("# {} {}\n\n{}.\n", check.id, check.slug, check.title)),
            "{}",
            check.id
        );
        for part in ["What", "Why", "Fails", "Passes", "How to fix"] {
            assert!(check.page.contains(&format!("\n## {part}\n")), "{} lacks {part}", check.id);
        }
    }
    // Hardened means every check; who wants fewer names them.
    assert_eq!(PolicySettings::hardened().checks, ids);
}
