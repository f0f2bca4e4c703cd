use kiln_attest::{Vex, VexStatus};
use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Distro, Ecosystem, Inventory, Package, Place, Unread, Unseen};
use kiln_report::{FORMATS, Kind, Results, Scan};
use kiln_vuln::{
    Coverage, Covered, Cvss, Date, EndOfLife, Epss, Fix, JudgedBy, MadeBy, Match, Plan, Remaining, Step,
    StepKind, Suppressed, Suppression, Verdict, VulnerabilityReport,
};

use super::{golden, readable};

const HOSTILE: &str = "evil\u{1b}[2J<b>|`x`\n::error::forged]]>&\"";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn severe() -> Match {
    let mut package = Package::new(Ecosystem::Npm, "@scope/ms", "2.1.3");
    package.direct = vec!["express@4.17.1".to_owned()];
    package.places = vec![Place { path: "app/node_modules/@scope/ms/package.json".to_owned(), layer: None }];
    Match {
        aliases: vec!["CVE-2026-1".to_owned()],
        cvss: Cvss::read("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        known_exploited: true,
        exploited_since: Some(day("2026-01-04")),
        epss: Some(Epss { score: 0.91234.into(), percentile: 0.99871.into() }),
        cwes: vec![79, 1333],
        published: Some(day("2026-01-01")),
        layer: Some(MadeBy { diff_id: Digest::of(b"layer"), instruction: Some("COPY . /app".to_owned()) }),
        path: vec!["express@4.17.1".to_owned(), "@scope/ms@2.1.3".to_owned()],
        ..Match::new(
            "GHSA-aaaa-bbbb-cccc",
            Severity::Critical,
            &package,
            Fix::Version { version: "2.1.4".to_owned() },
        )
    }
}

fn plain(id: &str, severity: Severity, name: &str, fix: Fix) -> Match {
    Match::new(id, severity, &Package::new(Ecosystem::Npm, name, "1.0.0"), fix)
}

fn suppressed() -> Vec<Suppressed> {
    let taken = |id: &str, by| Suppressed { found: plain(id, Severity::Low, "taken", Fix::None), by };
    let vex = |status: &str| Suppression::Vex {
        document: "vex.json".to_owned(),
        author: "ada".to_owned(),
        status: status.to_owned(),
        reason: Some("vulnerable_code_not_present".to_owned()),
    };
    vec![
        taken("CVE-2026-4", vex("not_affected")),
        taken("CVE-2026-5", vex("fixed")),
        taken(
            "CVE-2026-6",
            Suppression::Distribution { package: "npm@11".to_owned(), verdict: Verdict::NotAffected },
        ),
        taken(
            "CVE-2026-7",
            Suppression::Exception {
                reason: HOSTILE.to_owned(),
                owner: "ada".to_owned(),
                expires: day("2027-01-01"),
            },
        ),
    ]
}

pub(super) fn kitchen_sink() -> Scan {
    let report = VulnerabilityReport {
        matches: vec![
            severe(),
            Match {
                judged_by: Some(JudgedBy::CvssElsewhere),
                ..plain("CVE-2026-2", Severity::Medium, HOSTILE, Fix::WontFix)
            },
            plain("CVE-2026-3", Severity::Unknown, "small", Fix::Unknown),
        ],
        suppressed: suppressed(),
        coverage: vec![
            Coverage {
                ecosystem: Ecosystem::Npm,
                release: String::new(),
                packages: 4,
                feed: Some("npm".to_owned()),
                covered: Covered::Stale { as_of: day("2026-09-01"), age: 90, limit: 30 },
                elsewhere: false,
                names_malware: Some(false),
            },
            Coverage {
                ecosystem: Ecosystem::Deb,
                release: "debian-13".to_owned(),
                packages: 9,
                feed: None,
                covered: Covered::None { why: "nobody follows it".to_owned() },
                elsewhere: false,
                names_malware: None,
            },
        ],
        end_of_life: vec![EndOfLife {
            product: "node".to_owned(),
            line: "16".to_owned(),
            ended: day("2023-09-11"),
        }],
        unread: vec![Unread {
            path: HOSTILE.to_owned(),
            reader: "npm".to_owned(),
            why: "it is broken".to_owned(),
        }],
        unseen: vec![Unseen {
            path: "app".to_owned(),
            declared: vec![HOSTILE.to_owned()],
            bundles: vec!["app/dist/server.js".to_owned()],
            may_be_bundles: vec![HOSTILE.to_owned()],
            built_in: vec![HOSTILE.to_owned()],
            nameless: vec![HOSTILE.to_owned()],
            other_lists: vec![HOSTILE.to_owned()],
        }],
        database: Digest::of(b"database"),
        as_of: Some(day("2026-11-01")),
    };
    let step = |kind, what: &str, edit: Option<&str>| Step {
        kind,
        what: what.to_owned(),
        edit: edit.map(str::to_owned),
        caution: Some("a major version changes".to_owned()),
        removes: vec!["GHSA-aaaa-bbbb-cccc in @scope/ms@2.1.3".to_owned()],
    };
    let plan = Plan {
        steps: vec![
            step(StepKind::Override, "override", Some("{\n  \"overrides\": {}\n}")),
            step(StepKind::DropTool, "leave npm out", None),
        ],
        overrides: [("@scope/ms".to_owned(), "2.1.4".to_owned())].into(),
        remains: vec![Remaining {
            id: "CVE-2026-2".to_owned(),
            package: HOSTILE.to_owned(),
            why: "no fix".to_owned(),
        }],
    };
    let distro = Distro { id: "debian".to_owned(), version: "13".to_owned(), name: "Debian".to_owned() };
    Scan {
        name: "registry.example.invalid/team/app".to_owned(),
        digest: Some(Digest::of(b"image")),
        inventory: Inventory { distro: Some(distro), ..Inventory::default() },
        report,
        hidden: Vec::new(),
        asked: None,
        vex: Vec::new(),
        vex_unverified: 0,
        exceptions: Vec::new(),
        plan: Some(plan),
    }
}

fn clean() -> Scan {
    let mut scan = kitchen_sink();
    scan.report.matches.clear();
    scan.report.suppressed.clear();
    scan.report.unread.clear();
    scan.report.unseen.clear();
    scan.report.end_of_life.clear();
    scan.report.coverage.pop();
    scan.report.coverage[0].covered = Covered::Full { as_of: day("2026-11-01") };
    scan.report.coverage[0].names_malware = None;
    scan.plan = None;
    scan
}

fn render(name: &str, scan: Scan) -> String {
    super::render(name, &Results::Scans(&[scan]), 100)
}

#[test]
fn every_format_shows_everything() {
    for format in FORMATS.iter().filter(|format| format.knows(Kind::Scan)) {
        let found = readable(&render(format.name, kitchen_sink()));
        golden(&format!("scan-{}.txt", format.name), &found);
    }
}

#[test]
fn nothing_from_an_image_forges_a_line_or_leaves_its_place() {
    for name in ["github", "junit", "markdown"] {
        let text = render(name, kitchen_sink());
        assert!(!text.contains('\u{1b}') && !text.contains("\n::error::forged"), "{name}: {text}");
    }
    assert!(!render("junit", kitchen_sink()).contains("<b>"));
    assert!(!render("markdown", kitchen_sink()).contains("<b>"));
}

#[test]
fn a_clean_scan_is_no_empty_document() {
    assert!(render("junit", clean()).contains("no known vulnerabilities"));
    assert!(
        render("markdown", clean())
            .contains("No known vulnerabilities (advisories as of 2026-11-01, 20 days old).")
    );
    assert!(render("github", clean()).contains("::notice"));
    let sarif: serde_json::Value = serde_json::from_str(&render("sarif", clean())).unwrap();
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn what_is_not_known_is_in_every_format_that_can_say_it() {
    // One format has no place for it, and the one for people has it in lines.
    let cannot = ["human", "openvex"];
    let can = FORMATS.iter().filter(|format| format.knows(Kind::Scan) && !cannot.contains(&format.name));
    for format in can {
        let text = render(format.name, kitchen_sink());
        // JSON says it in fields.
        let (ended, stale) = match format.name {
            "json" => ("\"end_of_life\":[{", "\"state\":\"stale\""),
            _ => ("end of life: Node.js 16", "stale advisories: npm (90 days)"),
        };
        for said in ["nobody follows it", "it is broken", ended, stale] {
            assert!(text.contains(said), "{}: {said}", format.name);
        }
    }
    let human = render("human", kitchen_sink());
    assert!(human.lines().next().unwrap().ends_with("; stale advisories: npm (90 days)"), "{human}");
}

#[test]
fn what_nobody_repairs_is_never_called_clean() {
    let mut scan = clean();
    scan.report.end_of_life = kitchen_sink().report.end_of_life;
    for format in FORMATS.iter().filter(|format| format.knows(Kind::Scan) && format.name != "openvex") {
        let text = render(format.name, scan.clone());
        assert!(!text.to_lowercase().contains("no known vulnerabilities"), "{}: {text}", format.name);
    }
    assert!(render("markdown", scan).contains("End of life: Node.js 16; not everything is known"));
}

/// A name as long as an image likes does not make a report that GitLab refuses.
#[test]
fn what_gitlab_limits_is_cut() {
    let mut scan = kitchen_sink();
    scan.report.matches = vec![plain("CVE-2026-8", Severity::Low, &"ä".repeat(4000), Fix::None)];
    let report: serde_json::Value = serde_json::from_str(&render("gitlab", scan)).unwrap();
    let name = report["vulnerabilities"][0]["name"].as_str().unwrap();
    assert_eq!(name.chars().count(), 255);
    assert!(name.starts_with("CVE-2026-8 in ää"));
}

/// A folder has files that say what is installed, and no image.
#[test]
fn what_is_no_image_is_a_scan_of_dependencies_for_gitlab() {
    let mut scan = kitchen_sink();
    scan.digest = None;
    let mut package = Package::new(Ecosystem::Npm, "ms", "2.1.3");
    package.places = vec![Place { path: "api/yarn.lock".to_owned(), layer: None }];
    scan.inventory.packages = vec![package.clone()];
    scan.report.matches = vec![Match::new("CVE-2026-9", Severity::Low, &package, Fix::None)];
    let report: serde_json::Value = serde_json::from_str(&render("gitlab", scan)).unwrap();
    assert_eq!(report["scan"]["type"], "dependency_scanning");
    let ms = serde_json::json!({"package": {"name": "ms"}, "version": "2.1.3"});
    let wanted = serde_json::json!({"file": "api/yarn.lock", "dependency": ms});
    assert_eq!(report["vulnerabilities"][0]["location"], wanted);
    let listed =
        serde_json::json!([{"path": "api/yarn.lock", "package_manager": "yarn", "dependencies": [ms]}]);
    assert_eq!(report["dependency_files"], listed);
}

#[test]
fn openvex_says_what_was_taken_out_and_why() {
    let text = render("openvex", kitchen_sink());
    let vex = Vex::read(text.as_bytes()).unwrap();
    let said = |id: &str| vex.statements.iter().find(|statement| statement.ids[0] == id).unwrap();
    let status = |id: &str| said(id).status;
    assert_eq!(status("CVE-2026-4"), VexStatus::NotAffected);
    assert_eq!(said("CVE-2026-4").justification.as_deref(), Some("vulnerable_code_not_present"));
    assert_eq!(status("CVE-2026-5"), VexStatus::Fixed);
    assert_eq!((status("CVE-2026-6"), said("CVE-2026-6").impact.is_some()), (VexStatus::NotAffected, true));
    // Whoever accepts a risk does not say that there is none.
    assert_eq!(status("CVE-2026-7"), VexStatus::Affected);
    assert!(said("CVE-2026-7").action.as_deref().unwrap().contains("until 2027-01-01"));
    assert_eq!(status("CVE-2026-2"), VexStatus::UnderInvestigation);
    let product = &said("CVE-2026-4").products[0];
    assert!(product.ids[0].starts_with("pkg:oci/app@sha256:"), "{product:?}");
    assert_eq!(product.parts, [["pkg:npm/taken@1.0.0"]]);
    assert_eq!(text, render("openvex", kitchen_sink()));
}

/// What one scan took out, the next takes out by the document of the first.
#[test]
fn cyclonedx_is_vex_that_kiln_reads_back() {
    let vex = Vex::read(render("cyclonedx", kitchen_sink()).as_bytes()).unwrap();
    let said: Vec<(&str, VexStatus, &str)> = vex
        .statements
        .iter()
        .map(|statement| (statement.ids[0].as_str(), statement.status, statement.products[0].ids[0].as_str()))
        .collect();
    let taken = "pkg:npm/taken@1.0.0";
    assert_eq!(
        said,
        [
            ("CVE-2026-4", VexStatus::NotAffected, taken),
            ("CVE-2026-5", VexStatus::Fixed, taken),
            ("CVE-2026-6", VexStatus::NotAffected, taken),
            ("CVE-2026-7", VexStatus::Affected, taken),
        ]
    );
}

/// A filter never changes a statement: what is not shown is counted.
#[test]
fn what_is_not_shown_is_said() {
    let mut scan = kitchen_sink();
    let all = scan.report.matches.len();
    assert!(all > 1, "{all}");
    scan.asked = Some("of severity negligible with a fix".to_owned());
    scan.hide(|_| false);
    for format in ["human", "markdown"] {
        let text = render(format, scan.clone());
        assert!(
            text.to_lowercase()
                .contains(&format!("none of severity negligible with a fix; {all} others not shown (")),
            "{text}"
        );
        assert!(!text.contains("no known vulnerabilities"), "{text}");
    }
    let document: serde_json::Value = serde_json::from_str(&render("json", scan)).unwrap();
    assert_eq!(document[0]["not_shown"], all);
}
