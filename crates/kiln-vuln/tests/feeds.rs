//! Feeds in the forms that their publishers give them, small ones, to a database that answers.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_finding::{Diagnose, Severity};
use kiln_pkg::{Ecosystem, Inventory, Package, Source};
use kiln_vuln::build::Builder;
use kiln_vuln::{
    Cause, Database, Date, Fix, JudgedBy, Match, ReadAt, Suppression, Terms, Verdict, VulnerabilityReport,
    check,
};

const OSV_NPM: &str = r#"{"id":"GHSA-wc69-rhjr-hc9g","aliases":["CVE-2022-31129"],"modified":"2026-01-02T00:00:00Z","published":"2022-07-06T00:00:00Z",
  "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
  "database_specific":{"severity":"HIGH","cwe_ids":["CWE-400","CWE-1333"]},
  "affected":[{"package":{"ecosystem":"npm","name":"moment"},"versions":["2.18.0"],"ranges":[
    {"type":"GIT","events":[{"introduced":"0"},{"fixed":"deadbeef"}]},
    {"type":"SEMVER","events":[{"introduced":"2.18.0"},{"fixed":"2.29.4"}]}]}]}"#;
const OSV_MALWARE: &str = r#"{"id":"MAL-2025-1","modified":"2025-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"momemt"},"versions":["1.0.0"]}]}"#;
const OSV_DEBIAN: &str = r#"{"id":"DEBIAN-CVE-2022-37434","upstream":["CVE-2022-37434"],"modified":"2025-06-01T00:00:00Z","affected":[
  {"package":{"ecosystem":"Debian:12","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.2.13.dfsg-1"}]}]}]}"#;
const OSV_DSA: &str = r#"{"id":"DSA-5218-1","upstream":["CVE-2022-37434"],"modified":"2025-06-01T00:00:00Z","affected":[
  {"package":{"ecosystem":"Debian:11","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.2.11.dfsg-2+deb11u2"}]}]}]}"#;
const TRACKER: &str = r#"{"curl":{"CVE-2025-1":{"releases":{
  "bookworm":{"status":"open","urgency":"low","repositories":{}},
  "trixie":{"status":"resolved","urgency":"low","fixed_version":"8.14.1-2"},
  "bullseye":{"status":"resolved","urgency":"low","fixed_version":"0"},
  "sid":{"status":"open","urgency":"low"}}},
 "CVE-2025-2":{"releases":{"trixie":{"status":"open","urgency":"not yet assigned","nodsa":"x","nodsa_reason":"ignored"}}}}}"#;
const SECDB: &str = r#"{"distroversion":"v3.20","reponame":"main","packages":[
  {"pkg":{"name":"busybox","secfixes":{"1.36.1-r29":["CVE-2023-42366 GHSA-aaaa-bbbb-cccc"],"0":["CVE-2021-28831"]}}},{"pkg":{"name":"none","secfixes":null}}]}"#;
const WOLFI: &str = r#"{"apkurl":"{{urlprefix}}/{{arch}}/{{pkg.name}}.apk","urlprefix":"https://wolfi.invalid/os","packages":[
  {"pkg":{"name":"npm","secfixes":{"10.9.0-r1":["CVE-2022-31129"],"0":["CVE-2020-0001"]}}}]}"#;
const OSV_OTHERS: &str = r#"{"id":"GO-2024-1","aliases":["CVE-2024-1","GHSA-gggg-oooo-1234"],"modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.21.11"},{"introduced":"1.22.0-0"},{"fixed":"1.22.4"}]}]}]}
{"id":"PYSEC-2024-1","aliases":["CVE-2024-2"],"modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"Ruamel.Yaml_x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0rc2"}]}],"versions":["0.9"]}]}
{"id":"RUSTSEC-2024-1","aliases":["CVE-2024-3"],"modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"crates.io","name":"tokio"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.7.0"},{"fixed":"1.8.4"}]}]}]}
"#;
const KEV: &str = r#"{"title":"KEV","catalogVersion":"2026.01.05","dateReleased":"2026-01-05T15:00:00Z","vulnerabilities":[{"cveID":"CVE-2022-31129","dateAdded":"2026-01-04"}]}"#;
const EPSS: &str = "#model_version:v2025.03.14,score_date:2026-01-06T12:55:00Z\ncve,epss,percentile\nCVE-2022-31129,0.91234,0.99871\n";
const NODE: &str = r#"{"1":{"cve":["CVE-2026-0001"],"vulnerable":"20.x || 22.x","patched":"^20.20.2 || ^22.1.0","severity":"high"},
 "2":{"cve":["CVE-2026-0002"],"vulnerable":"20.x","patched":"","affectedEnvironments":["win32"]}}"#;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn compile(documents: &[&str]) -> Vec<u8> {
    let mut builder = Builder::default();
    for document in documents {
        builder.add("a document", document.as_bytes(), Some(day("2026-01-01"))).unwrap();
    }
    builder.finish(day("2026-02-01")).unwrap()
}

fn all() -> Vec<u8> {
    compile(&[OSV_NPM, OSV_MALWARE, OSV_DEBIAN, OSV_DSA, TRACKER, SECDB, WOLFI, KEV, EPSS, NODE])
}

fn ask(bytes: &[u8], packages: Vec<Package>) -> VulnerabilityReport {
    let inventory = Inventory { packages, ..Inventory::default() };
    check(&Database::open(bytes).unwrap(), &inventory, &Terms::on(Date::default())).unwrap()
}

fn one(bytes: &[u8], package: Package) -> Option<Match> {
    let mut found = ask(bytes, vec![package]).matches;
    assert!(found.len() < 2, "{found:#?}");
    found.pop()
}

fn system(ecosystem: Ecosystem, distro: &str, source: &str, version: &str) -> Package {
    Package {
        distro: Some(distro.to_owned()),
        source: Some(Source { name: source.to_owned(), version: version.to_owned() }),
        ..Package::new(ecosystem, source, version)
    }
}

#[test]
fn every_feed_becomes_a_slice_with_its_date() {
    let bytes = all();
    let database = Database::open(&bytes).unwrap();
    database.verify().unwrap();
    let slices: Vec<String> = database
        .slices()
        .iter()
        .map(|slice| format!("{} {} {} ({})", slice.name, slice.advisories, slice.as_of, slice.source))
        .collect();
    assert_eq!(
        slices,
        [
            "debian 3 2026-01-01 (Debian security tracker, OSV)",
            "alpine 2 2026-01-01 (secdb)",
            "wolfi 2 2026-01-01 (secdb)",
            "npm 2 2026-01-02 (OSV)",
            "node 1 2026-01-01 (nodejs/security-wg vuln/core)",
            "kev 1 2026-01-05 (CISA Known Exploited Vulnerabilities)",
            "epss 1 2026-01-06 (FIRST EPSS)",
        ]
    );
}

#[test]
fn a_match_has_all_that_is_known() {
    let bytes = all();
    let found = one(&bytes, Package::new(Ecosystem::Npm, "moment", "2.24.0")).unwrap();
    assert_eq!((found.id.as_str(), found.severity), ("GHSA-wc69-rhjr-hc9g", Severity::High));
    assert_eq!(found.cvss.unwrap().score.to_string(), "7.5");
    assert_eq!(found.exploited_since, Some(day("2026-01-04")));
    assert_eq!(found.cwes, [400, 1333]);
    assert!((found.epss.unwrap().percentile.percent() - 99.871).abs() < 1e-9);
    assert_eq!(found.fix, Fix::Version { version: "2.29.4".to_owned() });
    // The list of versions and the commits of the record add nothing.
    assert_eq!(one(&bytes, Package::new(Ecosystem::Npm, "moment", "2.17.0")), None);
    assert_eq!(
        one(&bytes, Package::new(Ecosystem::Npm, "momemt", "1.0.0")).unwrap().severity,
        Severity::Critical
    );
    assert_eq!(one(&bytes, Package::new(Ecosystem::Npm, "momemt", "1.0.1")), None);
}

#[test]
fn debian_is_read_from_osv_and_the_tracker() {
    let bytes = all();
    let deb = |release: &str, name: &str, version: &str| {
        one(&bytes, system(Ecosystem::Deb, &format!("debian-{release}"), name, version))
            .map(|found| (found.id, found.fix))
    };
    let fixed = |id: &str, version: &str| Some((id.to_owned(), Fix::Version { version: version.to_owned() }));
    assert_eq!(deb("12", "zlib", "1:1.2.12-1"), fixed("CVE-2022-37434", "1:1.2.13.dfsg-1"));
    assert_eq!(deb("12", "zlib", "1:1.2.13.dfsg-1"), None);
    assert_eq!(deb("11", "zlib", "1:1.2.11.dfsg-2"), fixed("CVE-2022-37434", "1:1.2.11.dfsg-2+deb11u2"));
    assert_eq!(deb("12", "curl", "7.88.1-10"), Some(("CVE-2025-1".to_owned(), Fix::None)));
    assert_eq!(deb("11", "curl", "7.74.0-1"), None);
    assert_eq!(deb("13", "curl", "8.14.1-2"), Some(("CVE-2025-2".to_owned(), Fix::WontFix)));
}

#[test]
fn alpine_entries_have_aliases_and_a_zero_is_never() {
    let bytes = all();
    let apk = |version: &str| one(&bytes, system(Ecosystem::Apk, "alpine-3.20.3", "busybox", version));
    let found = apk("1.36.1-r28").unwrap();
    assert_eq!(
        (found.id.as_str(), found.aliases),
        ("CVE-2023-42366", vec!["GHSA-aaaa-bbbb-cccc".to_owned()])
    );
    assert_eq!(apk("1.36.1-r29"), None);
}

#[test]
fn nodes_own_index_is_read_by_its_rule() {
    let bytes = all();
    let node = |version: &str| one(&bytes, Package::new(Ecosystem::Node, "node", version));
    assert_eq!(node("20.20.1").unwrap().fixed_in(), Some("20.20.2"));
    assert_eq!((node("20.20.2"), node("22.1.0"), node("18.0.0")), (None, None, None));
}

#[test]
fn other_languages_are_matched_by_their_own_orders() {
    let bytes = compile(&[OSV_OTHERS]);
    let fix = |ecosystem, name: &str, version: &str| {
        one(&bytes, Package::new(ecosystem, name, version)).map(|found| found.fixed_in().unwrap().to_owned())
    };
    assert_eq!(fix(Ecosystem::Go, "stdlib", "1.22.3").as_deref(), Some("1.22.4"));
    assert_eq!(fix(Ecosystem::Go, "stdlib", "v1.21.11"), None);
    assert_eq!(fix(Ecosystem::PyPi, "ruamel_yaml.X", "1.0rc1").as_deref(), Some("1.0rc2"));
    assert_eq!(fix(Ecosystem::PyPi, "ruamel-yaml-x", "1.0"), None);
    assert_eq!(fix(Ecosystem::Cargo, "tokio", "1.8.0").as_deref(), Some("1.8.4"));
}

#[test]
fn a_distribution_speaks_for_what_its_package_holds() {
    let bytes = all();
    let inside = |version: &str| {
        let owner = system(Ecosystem::Apk, "wolfi", "npm", version);
        let owned =
            Package { owner: Some("npm".to_owned()), ..Package::new(Ecosystem::Npm, "moment", "2.24.0") };
        ask(&bytes, vec![owner, owned])
    };
    let fixed = inside("10.9.0-r1");
    assert!(fixed.matches.is_empty(), "{:#?}", fixed.matches);
    let by = Suppression::Distribution { package: "npm@10.9.0-r1".to_owned(), verdict: Verdict::Fixed };
    assert_eq!(fixed.suppressed[0].by, by);
    // Before the fix both the package and its component are affected.
    let before = inside("10.9.0-r0");
    assert_eq!((before.matches.len(), before.suppressed.len()), (2, 0));
    // No feed here is about Go, so the distribution of the package that holds a module answers for it.
    let owner = system(Ecosystem::Apk, "wolfi", "npm", "10.9.0-r1");
    let module = Package { owner: Some("npm".to_owned()), ..Package::new(Ecosystem::Go, "stdlib", "1.22.3") };
    assert!(ask(&bytes, vec![owner.clone(), module.clone()]).is_complete());
    assert!(!ask(&bytes, vec![owner, Package { owner: None, ..module }]).is_complete());
    // A Debian package is repaired without a new version of what is in it.
    let inside = |name: &str| {
        let owner = system(Ecosystem::Deb, "debian-12", name, "1:1.2.13.dfsg-1");
        let owned =
            Package { owner: Some(name.to_owned()), ..Package::new(Ecosystem::Npm, "moment", "2.24.0") };
        ask(&bytes, vec![owner, owned]).matches.len()
    };
    assert_eq!(inside("zlib"), 0);
    // Of what its feed never named, nobody judged what is inside.
    assert_eq!(inside("unheard-of"), 1);
}

#[test]
fn what_a_feed_mentions_in_passing_makes_no_slice_that_claims_to_be_complete() {
    let both = r#"{"id":"GHSA-both-both-1234","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]},{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1.0"]}]}"#;
    let bytes = compile(&[OSV_NPM, both]);
    let names = |bytes| {
        Database::open(bytes).unwrap().slices().iter().map(|slice| slice.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&bytes), ["npm"]);
    let bytes = compile(&[OSV_NPM, both, OSV_OTHERS]);
    assert_eq!(names(&bytes), ["npm", "go", "pypi", "cargo"]);
    assert!(one(&bytes, Package::new(Ecosystem::PyPi, "a", "1.0")).is_some());
}

#[test]
fn the_order_of_documents_does_not_matter() {
    let forth = compile(&[OSV_NPM, OSV_DEBIAN, OSV_DSA, TRACKER, SECDB, KEV, EPSS, NODE]);
    let back = compile(&[NODE, EPSS, KEV, SECDB, TRACKER, OSV_DSA, OSV_DEBIAN, OSV_NPM]);
    assert!(forth == back);
}

#[test]
fn what_is_no_feed_or_broken_is_refused() {
    let refused = |document: &str| {
        let error = Builder::default().add("feed.json", document.as_bytes(), None).unwrap_err();
        assert_eq!(error.code(), "vuln.feed");
        error.to_string()
    };
    assert_eq!(
        refused("<html>"),
        "compile the advisory feed `feed.json`: it is no advisory feed that kiln knows"
    );
    for document in [
        r#"{"id":"GHSA-1","affected":[{"package":{"name":"x"}}]}"#,
        r#"{"distroversion":"v3.20","packages":[{"pkg":{}}]}"#,
        r#"{"packages":[]}"#,
        r#"{"1":{"cve":[],"vulnerable":"not a range"}}"#,
        "#model_version:v1\ncve,epss,percentile\nCVE-1,1.5,0.1\n",
        "#model_version:v1\ncve,epss,percentile\nCVE-1,0.5\n",
        "{\"id\":\"GHSA-1\",\"affected\":[]}\n{\"id\":",
        r#"{"vulnerabilities":[{"cveID":"CVE-1"}]}"#,
        r#"{"curl":{"CVE-1":{"releases":{"trixie":{}}}}}"#,
    ] {
        refused(document);
    }
    assert_eq!(
        Builder::default().finish(day("2026-01-01")).unwrap_err().to_string(),
        "make an advisory database: no feed names a package"
    );
    let mut only_marks = Builder::default();
    only_marks.add("kev", KEV.as_bytes(), None).unwrap();
    assert!(only_marks.finish(day("2026-01-01")).is_err());
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let whole = all();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        let verified = Database::open(&changed).and_then(|database| database.verify());
        // The last four bytes of the header are kept for later.
        assert!(verified.is_err() || (44..48).contains(&at), "byte {at}");
        let cut = whole.get(..at).unwrap();
        assert!(Database::open(cut).and_then(|database| database.verify()).is_err(), "cut at {at}");
    }
    let old = [b"KILNADV1".as_slice(), whole.get(8..).unwrap()].concat();
    let error = Database::open(&old).err().unwrap();
    assert_eq!(error.to_string(), "read the advisory database: it is of another version of kiln's format");
}

/// A file, as far as a database knows.
struct Elsewhere(Vec<u8>);

impl ReadAt for Elsewhere {
    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Cause> {
        let at = usize::try_from(at).unwrap();
        Ok(self.0.get(at..at + length).unwrap().to_vec())
    }
}

#[test]
fn a_damaged_slice_is_noticed_when_it_is_asked() {
    let bytes = all();
    let last = bytes.len() - 1;
    let mut damaged = bytes.clone();
    damaged[last] ^= 1;
    let moment = || Inventory {
        packages: vec![Package::new(Ecosystem::Npm, "moment", "2.24.0")],
        ..Inventory::default()
    };
    let whole = Database::read(Box::new(Elsewhere(bytes))).unwrap();
    assert_eq!(check(&whole, &moment(), &Terms::on(Date::default())).unwrap().matches.len(), 1);
    // The damage is in the last slice, which nobody asked.
    let database = Database::read(Box::new(Elsewhere(damaged))).unwrap();
    assert_eq!(check(&database, &moment(), &Terms::on(Date::default())).unwrap().matches.len(), 1);
    assert_eq!(
        database.verify().unwrap_err().to_string(),
        "read the advisory database: the checksum of a slice is wrong"
    );
}

/// A distribution's own judgement, else the vector of its record, else what others say of the same CVE.
#[test]
fn severities_are_somebody_s_judgement_and_say_whose() {
    let record = |id: &str, cve: &str, more: &str, affected: &str| {
        format!(
            r#"{{"id":"{id}","upstream":["{cve}"],"modified":"2025-06-01T00:00:00Z"{more},"affected":[{affected}]}}"#
        )
    };
    let debian = |cve: &str, specific: &str, more: &str| {
        let affected = format!(
            r#"{{"package":{{"ecosystem":"Debian:12","name":"p"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]{specific}}}"#
        );
        record(&format!("DEBIAN-{cve}"), cve, more, &affected)
    };
    let urgent = |urgency: &str| format!(r#","ecosystem_specific":{{"urgency":"{urgency}"}}"#);
    let vector = |score: &str| format!(r#","severity":[{{"type":"CVSS_V3","score":"{score}"}}]"#);
    let (high, critical) =
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    let npm = r#"{"package":{"ecosystem":"npm","name":"q"},"versions":["1.0.0"]}"#;
    let ubuntu = r#"{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"p"},"versions":["1"]}"#;
    let priority = r#","severity":[{"type":"Ubuntu","score":"low"}]"#;
    let documents = [
        debian("CVE-2025-1", &urgent("medium"), &vector(critical)),
        debian("CVE-2025-2", &urgent("not yet assigned"), &vector(high)),
        debian("CVE-2025-3", "", ""),
        record("GHSA-aaaa-bbbb-cccc", "CVE-2025-3", &vector(critical), npm),
        debian("CVE-2025-4", "", ""),
        record("UBUNTU-CVE-2025-4", "CVE-2025-4", priority, ubuntu),
        debian("CVE-2025-5", "", ""),
        // About two, so nobody knows which of them it judges.
        record("GHSA-dddd-eeee-ffff", "CVE-2025-5\",\"CVE-2025-6", &vector(critical), npm),
    ];
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let bytes = compile(&documents);
    let mut found = ask(&bytes, vec![system(Ecosystem::Deb, "debian-12", "p", "1.0")]).matches;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let told: Vec<_> = found.iter().map(|found| (found.severity, found.judged_by)).collect();
    assert_eq!(
        told,
        [
            (Severity::Medium, Some(JudgedBy::DebianUrgency)),
            (Severity::High, Some(JudgedBy::Cvss)),
            (Severity::Critical, Some(JudgedBy::CvssElsewhere)),
            (Severity::Low, Some(JudgedBy::UbuntuPriority)),
            (Severity::Unknown, None),
        ]
    );
    let database = Database::open(&bytes).unwrap();
    assert_eq!(database.slices()[0].judged, Some(4));
}
