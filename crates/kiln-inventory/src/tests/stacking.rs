//! What only the layers together tell: who brought a package, in which layer, for which tool.

use kiln_oci::ImageConfig;
use kiln_pkg::{Ecosystem, Origin, Package};

use super::{DEBIAN, LIBC, ZLIB, files, names, scan, stack};
use crate::layers;

#[test]
fn a_package_belongs_to_the_layer_that_brought_it() {
    let one = "Package: a\nStatus: install ok installed\nVersion: 1\n";
    let lower = files(&[DEBIAN, ("var/lib/dpkg/status", one)]);
    let two = format!("{one}\nPackage: b\nStatus: install ok installed\nVersion: 1\n");
    let middle = files(&[("var/lib/dpkg/status", &two)]);
    let three = two.replace(
        "Package: a\nStatus: install ok installed\nVersion: 1",
        "Package: a\nStatus: install ok installed\nVersion: 2",
    );
    let upper = files(&[("var/lib/dpkg/status", &three)]);
    let layers = [lower.digest, middle.digest, upper.digest];
    let of = |layer: usize| Some(layers[layer]);
    let places = |inventory: &kiln_pkg::Inventory| -> Vec<_> {
        inventory.packages.iter().map(|package| (package.name.clone(), package.places[0].layer)).collect()
    };
    let both = stack(&[lower.clone(), middle.clone()]);
    assert_eq!(places(&both), [("a".to_owned(), of(0)), ("b".to_owned(), of(1))]);
    let all = stack(&[lower, middle, upper]);
    assert_eq!(places(&all), [("a".to_owned(), of(2)), ("b".to_owned(), of(1))]);
}

#[test]
fn a_base_is_told_apart_and_instructions_show_no_credentials() {
    let (lower, upper) = (files(&[DEBIAN, LIBC]), files(&[ZLIB]));
    let config: ImageConfig = serde_json::from_value(serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [lower.digest, upper.digest]},
        "history": [
            {"created_by": "ADD rootfs.tar /"}, {"created_by": "CMD [\"bash\"]", "empty_layer": true},
            {"created_by": "RUN |1 NPM_TOKEN=abcdefgh1 /bin/sh -c npm ci"}],
    }))
    .unwrap();
    let mut inventory = stack(&[lower, upper]);
    inventory.layers = layers::layers(&config);
    layers::set_origins(&mut inventory);
    let origins: Vec<_> = inventory.packages.iter().map(|package| package.origin).collect();
    assert_eq!(origins, [Some(Origin::Base), Some(Origin::App)]);
    let text = inventory.layers[1].created_by.as_deref();
    assert_eq!(text, Some("RUN |1 NPM_TOKEN=… /bin/sh -c npm ci"));
}

#[test]
fn says_which_direct_dependency_or_tool_brings_a_package() {
    let inventory = stack(&[files(&[
        (
            "app/package.json",
            r#"{"name":"app","dependencies":{"a":"1","b":"1"},"devDependencies":{"d":"1"}}"#,
        ),
        ("app/node_modules/a/package.json", r#"{"name":"a","version":"1.0.0","dependencies":{"c":"1"}}"#),
        (
            "app/node_modules/b/package.json",
            r#"{"name":"b","version":"1.0.0","dependencies":{"c":"1"},"peerDependencies":{"p":"1"}}"#,
        ),
        ("app/node_modules/c/package.json", r#"{"name":"c","version":"1.0.0","dependencies":{"a":"1"}}"#),
        ("app/node_modules/d/package.json", r#"{"name":"d","version":"1.0.0"}"#),
        ("app/node_modules/p/package.json", r#"{"name":"p","version":"1.0.0"}"#),
        (
            "usr/local/lib/node_modules/npm/package.json",
            r#"{"name":"npm","version":"11.0.0","dependencies":{"tar":"7"}}"#,
        ),
        (
            "usr/local/lib/node_modules/npm/node_modules/tar/package.json",
            r#"{"name":"tar","version":"7.0.0"}"#,
        ),
        ("usr/local/lib/node_modules/npm/node_modules/c/package.json", r#"{"name":"c","version":"1.0.0"}"#),
    ])]);
    let by = |name: &str| inventory.packages.iter().find(|package| package.name == name).unwrap();
    assert_eq!(by("a").direct, ["a@1.0.0", "b@1.0.0"]);
    assert_eq!(by("c").direct, ["a@1.0.0", "b@1.0.0"]);
    assert_eq!(by("p").direct, ["b@1.0.0"]);
    assert_eq!(by("d").direct, ["d@1.0.0"]);
    assert_eq!(by("tar").direct, ["npm@11.0.0"]);
    assert_eq!(by("tar").group.as_deref(), Some("npm"));
    assert_eq!(by("npm").group.as_deref(), Some("npm"));
    // The same release is the app's, too, so removing npm does not remove it.
    assert_eq!(by("c").group, None);
    assert_eq!(by("app").direct, Vec::<String>::new());
}

#[test]
fn files_of_system_packages_have_an_owner() {
    let installed = "P:npm\nV:10.9.1-r0\nA:x86_64\nL:Artistic-2.0\nD:nodejs>=22 so:libc.musl-x86_64.so.1\nF:usr/lib/node_modules/npm/node_modules/tar\nR:package.json\nZ:Q1x=\n\nC:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\nP:nodejs\nV:22.11.0-r0\nA:x86_64\nF:usr/bin\nR:node\na:0:0:755\n\nP:musl\nV:1.2.5-r8\np:so:libc.musl-x86_64.so.1=1\n\n";
    let inventory = stack(&[files(&[
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.21.0\n"),
        ("lib/apk/db/installed", installed),
        ("usr/lib/node_modules/npm/node_modules/tar/package.json", r#"{"name":"tar","version":"6.2.1"}"#),
    ])]);
    let by = |name: &str| inventory.packages.iter().find(|package| package.name == name).unwrap();
    assert_eq!(by("tar").owner.as_deref(), Some("npm"));
    let needs: Vec<String> = vec![by("musl").key(), by("nodejs").key()];
    assert_eq!(by("npm").depends_on, needs);
    assert_eq!(by("nodejs").checksums[0].hex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");

    let list = "/.\n/usr\n/usr/bin\n/usr/bin/node\n";
    let status =
        "Package: nodejs\nStatus: install ok installed\nVersion: 20.19.2+dfsg-1\nArchitecture: amd64\n";
    let mut node = files(&[
        DEBIAN,
        ("var/lib/dpkg/status", status),
        ("var/lib/dpkg/info/nodejs.list", list),
        ("bin/node", "x"),
    ]);
    let read = node.files.iter_mut().find(|file| file.path == "var/lib/dpkg/status").unwrap();
    // A binary of a megabyte, in short.
    let mut binary = read.clone();
    binary.path = "bin/node".to_owned();
    binary.readings =
        vec![crate::Reading::Package(Box::new(Package::new(Ecosystem::Node, "node", "20.19.2")))];
    node.files.push(binary);
    let inventory = stack(&[node]);
    assert_eq!(inventory.node().next().unwrap().owner.as_deref(), Some("nodejs"));
}

/// A layer may link to a file that a layer below brought.
#[test]
fn a_hard_link_into_a_lower_layer_is_read() {
    let manifest = |version: &str| format!(r#"{{"name":"a","version":"{version}"}}"#);
    let below = files(&[
        ("store/node_modules/a/package.json", &manifest("1.0.0")),
        ("store/a.json", &manifest("9.0.0")),
    ]);
    let link = |target: &str| {
        let mut header = tar_entry("app/node_modules/a/package.json", target);
        header.extend([0; 1024]);
        scan(&header)
    };
    let linked = stack(&[below.clone(), link("store/node_modules/a/package.json")]);
    let places: Vec<&str> = linked.packages[0].places.iter().map(|place| place.path.as_str()).collect();
    assert_eq!(names(&linked, Ecosystem::Npm), ["a 1.0.0"]);
    assert_eq!(places, ["app/node_modules/a/package.json", "store/node_modules/a/package.json"]);
    assert_eq!(linked.unread, []);
    // Nobody read that as a package, and what is not there is not read either.
    for target in ["store/a.json", "gone/node_modules/a/package.json"] {
        let unread = stack(&[below.clone(), link(target)]).unread;
        assert!(unread[0].why.starts_with(&format!("it is a hard link to {target}")), "{unread:?}");
    }
}

/// The header of a hard link.
fn tar_entry(path: &str, target: &str) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(b"00000000000\0");
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'1';
    header[157..157 + target.len()].copy_from_slice(target.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
