//! What kiln writes it reads back; what Syft, Trivy and BuildKit write it reads, too.

use kiln_oci::Digest;
use kiln_pkg::{
    Checksum, Distro, Ecosystem, Inventory, Layer, Licence, Origin, Package, Part, Place, Source, Unread,
};
use kiln_sbom::{Document, DocumentSubject, FORMATS, read};
use proptest::prelude::*;

fn write(format: &kiln_sbom::Format, inventory: &Inventory, digest: Option<Digest>) -> String {
    let subject = DocumentSubject { name: "team/app".to_owned(), tag: None, digest, arch: None };
    let created = "2026-01-02T03:04:05Z";
    (format.render)(&Document { subject: &subject, inventory, created, tool_version: "0.1.0" })
}

/// What a document can hold of an inventory: layers, credentials and indicators are elsewhere.
fn kept(inventory: &Inventory) -> Inventory {
    let mut kept = Inventory { layers: Vec::new(), ..inventory.clone() };
    for package in &mut kept.packages {
        package.requires.clear();
        package.provides.clear();
        // The expression stands for the words that mean it.
        if let Some(spdx) = package.licence.as_ref().and_then(|licence| licence.spdx.clone()) {
            package.licence = Some(Licence { declared: spdx.clone(), spdx: Some(spdx) });
        }
    }
    kept
}

prop_compose! {
    fn package()(
        ecosystem in prop::sample::select(&Ecosystem::ALL[..]), name in "[a-z][a-z0-9]{0,6}", version in "[0-9]\\.[0-9]{1,2}",
        licence in prop::sample::select(vec!["MIT", "(MIT OR Apache-2.0)", "SEE LICENSE IN x", "GPL-2.0+", ""]),
        flags in any::<[bool; 4]>(), paths in prop::collection::btree_set("[a-z]{1,5}/[a-z]{1,5}", 1..3), source in "[a-z]{1,3}",
        supplier in prop::option::of("[A-Z][a-z]{2,6} <[a-z]{1,4}@example.invalid>"),
    ) -> Package {
        let name = match ecosystem {
            Ecosystem::Node => "node".to_owned(),
            Ecosystem::Maven => format!("org.{name}:{name}"),
            _ => name,
        };
        let mut package = Package::new(ecosystem, name, version);
        if matches!(ecosystem, Ecosystem::Deb | Ecosystem::Apk) {
            package.distro = Some("debian-13".to_owned());
            package.arch = Some("amd64".to_owned());
            package.source = Some(Source { name: source, version: package.version.clone() });
        }
        package.licence = (!licence.is_empty()).then(|| Licence::declared(licence));
        package.supplier = supplier;
        package.dev = flags[0];
        package.optional = flags[1];
        package.origin = flags[2].then_some(if flags[3] { Origin::Base } else { Origin::App });
        package.owner = flags[3].then(|| "owner".to_owned());
        package.group = flags[2].then(|| "npm".to_owned());
        package.direct = if flags[0] { vec!["a@1".to_owned()] } else { Vec::new() };
        package.checksums = Checksum::integrity("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        if ecosystem == Ecosystem::Node {
            package.parts = vec![Part { name: "openssl".to_owned(), version: "3.5.8".to_owned() }];
        }
        package.places = paths.into_iter().map(|path| Place { path, layer: flags[1].then(|| Digest::of(b"l")) }).collect();
        package
    }
}

prop_compose! {
    fn inventory()(packages in prop::collection::vec(package(), 1..8), edges in prop::collection::vec(any::<(u8, u8)>(), 0..12), broken in any::<bool>()) -> Inventory {
        let mut packages = packages;
        let order = |a: &Package| (a.ecosystem, a.name.clone(), a.version.clone(), a.arch.clone());
        packages.sort_by_key(order);
        packages.dedup_by_key(|package| (package.ecosystem, package.name.clone(), package.version.clone()));
        let keys: Vec<String> = packages.iter().map(Package::key).collect();
        for (from, to) in edges {
            let (from, to) = (usize::from(from) % keys.len(), usize::from(to) % keys.len());
            if from != to {
                packages[from].depends_on.push(keys[to].clone());
            }
        }
        for package in &mut packages {
            package.depends_on.sort();
            package.depends_on.dedup();
        }
        let unread = Unread { path: "x y".to_owned(), reader: "apk".to_owned(), why: "it is (broken): a".to_owned() };
        Inventory {
            distro: Some(Distro { id: "debian".to_owned(), version: "13".to_owned(), name: "Debian 13".to_owned() }),
            packages,
            unread: if broken { vec![unread] } else { Vec::new() },
            layers: vec![Layer::new(Digest::of(b"l"))],
            ..Inventory::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(inventory in inventory(), is_image in any::<bool>()) {
        for format in FORMATS {
            let text = write(format, &inventory, is_image.then(|| Digest::of(b"manifest")));
            prop_assert_eq!(read(text.as_bytes()).unwrap(), kept(&inventory), "{}", format.name);
        }
    }

    #[test]
    fn hostile_documents_never_panic(text in "[\\{\\}\\[\\]\",:a-zA-Z0-9.@/ ]{0,200}", key in "[a-zA-Z@]{1,12}") {
        for head in ["\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"", "\"spdxVersion\":\"SPDX-2.3\"", "\"@context\":1,\"@graph\":[{\"type\":\"CreationInfo\"}]"] {
            let _ = read(format!("{{{head},\"{key}\":[{{{text}}}]}}").as_bytes());
        }
    }
}

#[test]
fn what_is_not_understood_is_counted() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[
        {"type":"library","name":"a","version":"1","purl":"pkg:gem/g/a@1","bom-ref":"1"},
        {"type":"library","name":"b","version":"1","bom-ref":"2"},
        {"type":"library","name":"c","version":"1","purl":"pkg:npm/c@1","bom-ref":"3"}]}"#;
    let inventory = read(text.as_bytes()).unwrap();
    assert_eq!(inventory.packages.len(), 1);
    let why: Vec<&str> = inventory.unread.iter().map(|unread| unread.why.as_str()).collect();
    assert_eq!(why, ["1 of its packages have no package URL", "1 of its packages have the type gem"]);
    let empty = read(br#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#).unwrap();
    assert_eq!(empty.unread[0].why, "it names no package");
    for bad in
        ["", "[]", "{}", r#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#, r#"{"spdxVersion":"SPDX-1.2"}"#]
    {
        assert!(read(bad.as_bytes()).is_err(), "{bad}");
    }
}

fn reasons(text: &str) -> (usize, Vec<String>) {
    let inventory = read(text.as_bytes()).expect("the document is a bill of materials");
    (inventory.packages.len(), inventory.unread.into_iter().map(|unread| unread.why).collect())
}

/// A program without a package URL is as unknown as a library without one; only what the document is about is no package of it.
#[test]
fn programs_without_a_package_url_are_said() {
    let bill = |subject: &str, components: &str| {
        let subject = format!(r#""metadata":{{"component":{subject}}}"#);
        reasons(&format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6",{subject},"components":[{components}]}}"#
        ))
    };
    let ms = r#"{"type":"library","name":"ms","bom-ref":"m","purl":"pkg:npm/ms@2.1.3"}"#;
    let app = r#"{"type":"application","name":"app","bom-ref":"a"}"#;
    let none = "1 of its packages have no package URL".to_owned();
    assert_eq!(bill(app, &format!("{ms},{app}")), (1, vec![]), "the subject itself");
    let nginx = r#"{"type":"application","name":"nginx","version":"1.3.9","bom-ref":"n"}"#;
    assert_eq!(bill(app, &format!("{ms},{nginx}")), (1, vec![none.clone()]));
    let bare = r#"{"type":"application","name":"nginx"}"#;
    assert_eq!(bill(r#"{"type":"application","name":"app"}"#, &format!("{ms},{bare}")), (1, vec![none]));
    // Whatever a component calls itself, a package URL names a package; and the subject may hold some.
    let file = r#"{"type":"file","name":"x","bom-ref":"f","purl":"pkg:npm/lodash@4.17.15"}"#;
    assert_eq!(bill(app, &format!("{ms},{file}")), (2, vec![]));
    let holding = format!(r#"{{"type":"application","name":"app","bom-ref":"a","components":[{ms}]}}"#);
    assert_eq!(bill(&holding, ""), (1, vec![]));
}

/// The same in SPDX, where Trivy lists lock files under ids that anything else may have, too.
#[test]
fn packages_of_spdx_without_a_package_url_are_said() {
    let document = |creator: &str, described: &str, other: &str| {
        reasons(&format!(
            r#"{{"spdxVersion":"SPDX-2.3","creationInfo":{{"creators":["Tool: {creator}"]}},"documentDescribes":[{described}],"packages":[
              {{"SPDXID":"SPDXRef-Root","name":"app"}},{{"SPDXID":"{other}","name":"nginx","versionInfo":"1"}},
              {{"SPDXID":"SPDXRef-m","name":"ms","primaryPackagePurpose":"FILE","externalRefs":[{{"referenceType":"purl","referenceLocator":"pkg:npm/ms@2.1.3"}}]}}]}}"#
        ))
    };
    let root = r#""SPDXRef-Root""#;
    assert_eq!(document("trivy-0.67.2", root, "SPDXRef-Application-1"), (1, vec![]));
    let none = |count: u8| vec![format!("{count} of its packages have no package URL")];
    assert_eq!(document("syft-1.51", root, "SPDXRef-Application-1"), (1, none(1)));
    assert_eq!(document("trivy-0.67.2", root, "SPDXRef-Package-Application"), (1, none(1)));
    assert_eq!(document("any", r#""SPDXRef-Root","SPDXRef-n""#, "SPDXRef-n"), (1, none(2)));
}

/// In the shape that Trivy 0.6x writes.
#[test]
fn reads_trivy() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"bom-ref":"r","type":"container","name":"x"}},
      "components":[
       {"bom-ref":"os","type":"operating-system","name":"alpine","version":"3.18.4"},
       {"bom-ref":"lock","type":"application","name":"app/package-lock.json",
        "properties":[{"name":"aquasecurity:trivy:Class","value":"lang-pkgs"},{"name":"aquasecurity:trivy:Type","value":"npm"}]},
       {"bom-ref":"a","type":"library","name":"libcrypto3","version":"3.1.3-r0","purl":"pkg:apk/alpine/libcrypto3@3.1.3-r0?arch=x86_64&distro=3.18.4",
        "licenses":[{"license":{"name":"Apache-2.0"}}],
        "properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},{"name":"aquasecurity:trivy:SrcVersion","value":"3.1.3-r0"},
         {"name":"aquasecurity:trivy:LayerDiffID","value":"sha256:cc2447e1835a40530975ab80bb1f872fbab0f2a0faecf2ab16fbbb89b3589438"}]},
       {"bom-ref":"n","type":"library","group":"@Scope","name":"Name","version":"1.0.0","purl":"pkg:npm/%40scope/name@1.0.0",
        "properties":[{"name":"aquasecurity:trivy:FilePath","value":"app/node_modules/@Scope/Name/package.json"}]}],
      "dependencies":[{"ref":"n","dependsOn":["a"]}]}"#;
    let inventory = read(text.as_bytes()).unwrap();
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
    let (apk, npm) = (&inventory.packages[0], &inventory.packages[1]);
    assert_eq!((apk.advisory_name(), apk.distro.as_deref()), ("openssl", Some("alpine-3.18.4")));
    assert_eq!((npm.name.as_str(), npm.depends_on.len()), ("@Scope/Name", 1));
    assert_eq!(npm.places[0].path, "app/node_modules/@Scope/Name/package.json");
}

/// Java as Syft and Trivy write it, by its package URL; and a kind of package that kiln does not know, which is said.
#[test]
fn reads_java_and_says_what_it_does_not_know() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
       {"bom-ref":"j","type":"library","group":"org.slf4j","name":"slf4j-api","version":"1.7.32","purl":"pkg:maven/org.slf4j/slf4j-api@1.7.32",
        "properties":[{"name":"aquasecurity:trivy:PkgType","value":"jar"},{"name":"aquasecurity:trivy:FilePath","value":"opt/lib/slf4j-api.jar"}]},
       {"bom-ref":"g","type":"library","name":"activesupport","version":"6.0.2.1","purl":"pkg:gem/activesupport@6.0.2.1",
        "properties":[{"name":"aquasecurity:trivy:PkgType","value":"gemspec"}]}]}"#;
    let inventory = read(text.as_bytes()).unwrap();
    let java = &inventory.packages[0];
    assert_eq!(
        (java.name.as_str(), java.places[0].path.as_str()),
        ("org.slf4j:slf4j-api", "opt/lib/slf4j-api.jar")
    );
    assert_eq!(java.key(), "pkg:maven/org.slf4j/slf4j-api@1.7.32");
    assert_eq!(inventory.unread.len(), 1, "{:?}", inventory.unread);
}

/// In the shape that BuildKit's scanner (Syft inside) attests.
#[test]
fn reads_the_statement_of_buildkit() {
    let text = r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[{"name":"_","digest":{"sha256":"00"}}],
      "predicate":{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[
        {"name":"rootfs","SPDXID":"SPDXRef-DocumentRoot-Directory-rootfs","primaryPackagePurpose":"FILE"},
        {"name":"zlib1g","SPDXID":"SPDXRef-Package-deb-zlib1g-1","versionInfo":"1:1.2.13.dfsg-1","supplier":"Person: Mark Brown (b@example.invalid)",
         "sourceInfo":"acquired package info from DPKG DB: /usr/share/doc/zlib1g/copyright, /var/lib/dpkg/status","licenseDeclared":"Zlib",
         "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:zlib1g"},
          {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib"}]},
        {"name":"libc6","SPDXID":"SPDXRef-Package-deb-libc6-2","versionInfo":"2.36-9","externalRefs":[
          {"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc"}]}],
       "relationships":[{"spdxElementId":"SPDXRef-Package-deb-libc6-2","relatedSpdxElement":"SPDXRef-Package-deb-zlib1g-1","relationshipType":"DEPENDENCY_OF"}]}}"#;
    let inventory = read(text.as_bytes()).unwrap();
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
    assert_eq!(inventory.distro.as_ref().unwrap().tag(), "debian-12");
    let zlib = &inventory.packages[1];
    assert_eq!((zlib.advisory_name(), zlib.places[1].path.as_str()), ("zlib", "var/lib/dpkg/status"));
    assert_eq!(zlib.depends_on, [inventory.packages[0].key()]);
    assert_eq!(zlib.supplier.as_deref(), Some("Mark Brown <b@example.invalid>"));
}

/// The names of all packages of a document.
fn names(document: &serde_json::Value) -> Vec<String> {
    let inventory = read(document.to_string().as_bytes()).expect("a document");
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
    inventory.packages.into_iter().map(|package| package.name).collect()
}

#[test]
fn no_package_hides_another() {
    let cyclonedx = |components: serde_json::Value| {
        names(&serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}))
    };
    let component = |id: &str, name: &str, purl: &str| serde_json::json!({"type": "library", "bom-ref": id, "name": name, "purl": purl});
    let (ms, lodash) = ("pkg:npm/ms@2.1.3", "pkg:npm/lodash@4.17.4");
    assert_eq!(
        cyclonedx(vec![component("a", "lodash", lodash), component("a", "ms", ms)].into()),
        ["lodash", "ms"]
    );
    assert_eq!(
        cyclonedx(vec![component("a", "Lodash", lodash)].into()),
        ["Lodash", "lodash"],
        "either may be meant"
    );
    let underscore = component("a", "path_to_regexp", "pkg:npm/path-to-regexp@0.1.7");
    assert_eq!(cyclonedx(vec![underscore].into()), ["path-to-regexp"]);
    let mut node = component("n", "node", "pkg:generic/node@24.0.0");
    node["components"] = vec![
        component("l", "lodash", lodash),
        serde_json::json!({"type": "library", "name": "v8", "version": "1"}),
    ]
    .into();
    assert_eq!(cyclonedx(vec![node].into()), ["lodash", "node"]);
}

#[test]
fn no_package_of_spdx_hides_another() {
    let package = |id: &str, name: &str, purls: &[&str]| {
        let references: Vec<_> = purls
            .iter()
            .map(|purl| serde_json::json!({"referenceType": "purl", "referenceLocator": purl}))
            .collect();
        serde_json::json!({"SPDXID": id, "name": name, "externalRefs": references})
    };
    let spdx = |packages: Vec<serde_json::Value>| {
        let linked = serde_json::json!([{"spdxElementId": "m", "relationshipType": "STATIC_LINK", "relatedSpdxElement": "l"}]);
        names(&serde_json::json!({"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": linked}))
    };
    let (ms, lodash) = ("pkg:npm/ms@2.1.3", "pkg:npm/lodash@4.17.4");
    assert_eq!(spdx(vec![package("m", "ms", &[ms]), package("l", "lodash", &[lodash])]), ["lodash", "ms"]);
    assert_eq!(
        spdx(vec![package("m", "node", &["pkg:generic/node@24.0.0"]), package("l", "v8", &[])]),
        ["node"]
    );
    assert_eq!(spdx(vec![package("x", "lodash", &[lodash]), package("x", "ms", &[ms])]), ["lodash", "ms"]);
    assert_eq!(spdx(vec![package("m", "ms", &[ms, lodash])]), ["lodash", "ms"]);
    let three = |kind: serde_json::Value, key: &str| {
        let mut second = serde_json::json!({"spdxId": "l", "name": "lodash", "software_packageUrl": lodash});
        second[key] = kind;
        names(&serde_json::json!({"@context": "x", "@graph": [{"type": "CreationInfo"},
            {"type": "software_Package", "spdxId": "m", "name": "ms", "software_packageUrl": ms}, second,
            {"type": "Relationship", "relationshipType": "hasStaticLink", "from": "m", "to": ["l"]}]}))
    };
    for (kind, key) in [
        (serde_json::json!("software_Package"), "type"),
        (serde_json::json!(["software_Package"]), "type"),
        (serde_json::json!("software_Package"), "@type"),
        (serde_json::json!("https://spdx.org/rdf/3.0.1/terms/Software/Package"), "type"),
        (serde_json::json!("Software_package"), "type"),
    ] {
        assert_eq!(three(kind.clone(), key), ["lodash", "ms"], "{kind}");
    }
}
