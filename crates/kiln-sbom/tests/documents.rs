//! What every format says of the same inventory.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Inventory, Layer, Licence, Package, Place, Source, Unread};
use kiln_sbom::{Document, DocumentSubject, FORMATS, find};
use serde_json::Value;

fn inventory() -> Inventory {
    let place = |path: &str| vec![Place { path: path.to_owned(), layer: Some(Digest::of(b"layer")) }];
    let deb = Package {
        source: Some(Source { name: "zlib".to_owned(), version: "1:1.3-1".to_owned() }),
        arch: Some("amd64".to_owned()),
        distro: Some("debian-13".to_owned()),
        supplier: Some("Mark Brown <broonie@debian.org>".to_owned()),
        places: place("var/lib/dpkg/status.d/zlib1g"),
        ..Package::new(Ecosystem::Deb, "zlib1g", "1:1.3-1+b1")
    };
    let b = Package {
        licence: Some(Licence::declared("SEE LICENSE IN LICENSE.md")),
        places: place("app/node_modules/@a/b/package.json"),
        dev: true,
        ..Package::new(Ecosystem::Npm, "@a/b", "1.0.0")
    };
    let app = Package {
        licence: Some(Licence::declared("(MIT OR Apache-2.0)")),
        depends_on: vec![b.key()],
        places: place("app/package.json"),
        ..Package::new(Ecosystem::Npm, "app", "")
    };
    let node =
        Package { places: place("nodejs/bin/node"), ..Package::new(Ecosystem::Node, "node", "24.1.0") };
    let unread =
        Unread { path: "x".to_owned(), reader: "npm-package".to_owned(), why: "it is broken".to_owned() };
    Inventory {
        packages: vec![deb, b, app, node],
        unread: vec![unread],
        layers: vec![Layer::new(Digest::of(b"layer"))],
        ..Inventory::default()
    }
}

fn render(format: &str) -> String {
    let subject = DocumentSubject {
        name: "registry.example/team/App".to_owned(),
        tag: Some("1.0".to_owned()),
        digest: Some(Digest::of(b"manifest")),
        arch: Some("amd64".to_owned()),
    };
    let inventory = inventory();
    let document = Document {
        subject: &subject,
        inventory: &inventory,
        created: "2026-01-02T03:04:05Z",
        tool_version: "0.1.0",
    };
    (find(format).unwrap().render)(&document)
}

#[test]
fn every_format_names_every_package_and_what_is_missing() {
    for format in FORMATS {
        let text = render(format.name);
        assert_eq!(text, render(format.name));
        for package in inventory().packages {
            assert!(text.contains(&package.key()), "{} lacks {}", format.name, package.key());
        }
        assert!(text.contains("it is broken") && text.contains("pkg:oci/app@sha256:"));
    }
}

#[test]
fn spdx_gives_licences_and_edges() {
    let value: Value = serde_json::from_str(&render("spdx-json")).unwrap();
    let declared: Vec<&str> = value["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["licenseDeclared"].as_str().unwrap())
        .collect();
    assert_eq!(declared[3], "(MIT OR Apache-2.0)");
    assert!(declared[2].starts_with("LicenseRef-SEE-LICENSE"));
    assert_eq!(value["hasExtractedLicensingInfos"][0]["licenseId"], declared[2]);
    let edges = value["relationships"].as_array().unwrap();
    assert_eq!(edges.iter().filter(|edge| edge["relationshipType"] == "DEPENDS_ON").count(), 1);
    assert_eq!(value["packages"][1]["supplier"], "Person: Mark Brown (broonie@debian.org)");
}

#[test]
fn cyclonedx_gives_scopes_and_top_level_dependencies() {
    let value: Value = serde_json::from_str(&render("cyclonedx-json")).unwrap();
    assert_eq!(value["components"][1]["scope"], "excluded");
    assert_eq!(value["components"][1]["group"], "@a");
    assert_eq!(value["dependencies"][0]["dependsOn"].as_array().unwrap().len(), 3);
    assert_eq!(value["compositions"][0]["aggregate"], "incomplete");
}
