//! Who answers for a package: its own feed, the distribution whose package holds it, or nobody.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_pkg::{Ecosystem, Elsewhere, Inventory, Package, Packager, Source};
use kiln_vuln::build::Builder;
use kiln_vuln::{Covered, Database, Date, Terms, VulnerabilityReport, check};

const MOMENT: &str = r#"{"id":"GHSA-wc69-rhjr-hc9g","modified":"2026-01-02","affected":[{"package":{"ecosystem":"npm","name":"moment"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.29.4"}]}]}]}"#;
const DEBIAN: &str = r#"{"id":"DEBIAN-CVE-2022-1","upstream":["CVE-2022-1"],"modified":"2026-01-01","affected":[
  {"package":{"ecosystem":"Debian:12","name":"known"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
  {"package":{"ecosystem":"Debian:12","name":"node-moment"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0.9-1"}]}]},
  {"package":{"ecosystem":"Debian:12","name":"nodejs"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0.9-1"}]}]}]}"#;
const NODE: &str =
    r#"{"1":{"cve":["CVE-2026-1"],"vulnerable":"20.x","patched":"^20.20.2","severity":"high"}}"#;

fn ask(packages: Vec<Package>) -> VulnerabilityReport {
    let mut builder = Builder::default();
    for document in [MOMENT, DEBIAN, NODE] {
        builder.add("a document", document.as_bytes(), None).unwrap();
    }
    let bytes = builder.finish("2026-02-01".parse().unwrap()).unwrap();
    let database = Database::open(&bytes).unwrap();
    check(&database, &Inventory { packages, ..Inventory::default() }, &Terms::on(Date::default())).unwrap()
}

fn deb(name: &str, release: &str, packager: Packager) -> Package {
    Package {
        distro: Some(format!("debian-{release}")),
        source: Some(Source { name: name.to_owned(), version: "1.0-1".to_owned() }),
        packager,
        ..Package::new(Ecosystem::Deb, name, "1.0-1")
    }
}

fn inside(owner: &str, ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    Package { owner: Some(owner.to_owned()), ..Package::new(ecosystem, name, version) }
}

/// The vulnerable packages, and the states of what is asked.
fn told(packages: Vec<Package>) -> (Vec<String>, Vec<&'static str>) {
    let report = ask(packages);
    let found = report.matches.iter().map(|found| found.name.clone()).collect();
    (found, report.coverage.iter().map(|coverage| coverage.covered.state()).collect())
}

#[test]
fn a_distribution_answers_only_for_what_its_feed_follows() {
    let with = |owner: Package| {
        let module = inside(&owner.name, Ecosystem::Npm, "moment", "2.24.0");
        told(vec![owner, module])
    };
    let nothing: Vec<String> = Vec::new();
    assert_eq!(with(deb("node-moment", "12", Packager::Distribution)), (nothing, vec!["full"]));
    let moment = vec!["moment".to_owned()];
    // A vendor's, one of a release that the feed does not follow, and one of which only its name is known.
    assert_eq!(with(deb("vendor-app", "12", Packager::Other)), (moment.clone(), vec!["none", "full"]));
    assert_eq!(with(deb("vendor-app", "12", Packager::Unsaid)), (moment.clone(), vec!["none", "full"]));
    // Its maintainer is Debian's by its control file, and Debian's feed has never heard of it.
    assert_eq!(with(deb("my-app", "12", Packager::Distribution)), (moment.clone(), vec!["full", "full"]));
    assert_eq!(
        with(deb("node-moment", "13", Packager::Distribution)),
        (moment.clone(), vec!["none", "full"])
    );
    assert_eq!(told(vec![inside("gone", Ecosystem::Npm, "moment", "2.24.0")]), (moment, vec!["full"]));
    // Nothing says who built it, and the feed knows it.
    let (found, states) = with(deb("known", "12", Packager::Unsaid));
    assert_eq!((found, states), (vec!["known".to_owned()], vec!["full"]));
}

#[test]
fn node_of_a_vendor_is_asked_at_its_project() {
    let node = |owner: Package| {
        let node = inside(&owner.name, Ecosystem::Node, "node", "20.20.1");
        told(vec![owner, node]).0
    };
    assert_eq!(node(deb("nodejs", "12", Packager::Distribution)), Vec::<String>::new());
    assert_eq!(node(deb("nodejs", "12", Packager::Other)), ["node"]);
    assert_eq!(node(deb("my-node", "12", Packager::Distribution)), ["node"]);
}

#[test]
fn a_name_alone_is_no_package_of_the_registry() {
    let moment = |elsewhere| Package { elsewhere, ..Package::new(Ecosystem::Npm, "moment", "2.24.0") };
    let nothing: Vec<String> = Vec::new();
    assert_eq!(told(vec![moment(Some(Elsewhere::Own))]), (nothing.clone(), vec![]));
    let git = Elsewhere::of_npm("git+https://host.invalid/a/moment.git#c0ffee");
    let report = ask(vec![moment(git), moment(None)]);
    assert_eq!(report.matches.len(), 1);
    assert_eq!(report.matches[0].package, "pkg:npm/moment@2.24.0");
    let Covered::None { why } = &report.coverage[1].covered else { panic!("{:?}", report.coverage) };
    assert!(why.ends_with("moment (git+https://host.invalid/a/moment.git#c0ffee)"), "{why}");
    assert!(!report.is_complete());
    assert_eq!(told(vec![moment(Some(Elsewhere::Unsaid))]), (nothing, vec!["none"]));
}
