use std::collections::BTreeMap;

use kiln_attest::{SourceCommit, predicate};
use kiln_finding::Fact;
use kiln_oci::{ContainerConfig, Digest, Healthcheck, ImageConfig};
use kiln_pkg::{Distro, Ecosystem, Inventory, Licence, Package};
use kiln_vuln::{Coverage, Covered, Date, VulnerabilityReport};

use crate::{ArchiveFacts, Attested, BaseFacts, Evidence, EvidenceSubject, LockFacts, Size};

const RELEASE: &str = "debian-13";

fn today() -> Date {
    // 2026-11-21
    Date::from_days(20_778)
}

impl Evidence {
    /// An image that passes everything. Tests start from it and change one thing.
    pub fn fake() -> Self {
        Self {
            subject: EvidenceSubject {
                name: "shop/api:1.4.0".to_owned(),
                digest: Digest::of(b"manifest"),
                platform: "linux/amd64".to_owned(),
            },
            today: today(),
            config: Fact::Known(config()),
            size: Fact::Known(Size { compressed: 48_300_000, layers: 4 }),
            inventory: Fact::Known(inventory()),
            vulnerabilities: Fact::Known(report()),
            lock: Fact::Known(LockFacts {
                file: "package-lock.json".to_owned(),
                without_integrity: Vec::new(),
                dev_packages: vec!["typescript@5.9.2".to_owned(), "vitest@3.2.4".to_owned()],
            }),
            base: Fact::Known(BaseFacts {
                name: "kiln/node:24-debian13".to_owned(),
                digest: Some(Digest::of(b"base")),
                locked: true,
            }),
            archive: Fact::Known(ArchiveFacts {
                distribution: RELEASE.to_owned(),
                as_of: Date::from_days(today().days() - 6).to_string(),
                age_days: 6,
            }),
            sources: Fact::Known(Some(SourceCommit {
                repository: Some("https://git.example/shop/api".to_owned()),
                reference: Some("refs/heads/main".to_owned()),
                commit: "5d41402abc4b2a76b9719d911017c592ae2f1c20".to_owned(),
                folder: String::new(),
                changes: None,
            })),
            attestations: Fact::Known(
                [predicate::SIGNATURE, predicate::SPDX, predicate::PROVENANCE].map(attested).to_vec(),
            ),
        }
    }

    /// An image of which nothing could be observed.
    pub fn unknown(subject: EvidenceSubject, today: Date, why: &str) -> Self {
        fn not<T>(why: &str) -> Fact<T> {
            Fact::Unknown(why.to_owned())
        }
        Self {
            subject,
            today,
            config: not(why),
            size: not(why),
            inventory: not(why),
            vulnerabilities: not(why),
            lock: not(why),
            base: not(why),
            archive: not(why),
            sources: not(why),
            attestations: not(why),
        }
    }
}

fn attested(predicate_type: &str) -> Attested {
    let detail = "by key 5d41402a".to_owned();
    Attested { predicate_type: predicate_type.to_owned(), verified: true, detail }
}

fn config() -> ImageConfig {
    let test = ["CMD", "/nodejs/bin/node", "/kiln/health.js"].map(str::to_owned).to_vec();
    let config = ContainerConfig {
        user: "65532".to_owned(),
        exposed_ports: BTreeMap::from([("3000/tcp".to_owned(), serde_map())]),
        env: vec!["NODE_ENV=production".to_owned()],
        healthcheck: Some(Healthcheck { test, ..Healthcheck::default() }),
        ..ContainerConfig::default()
    };
    ImageConfig { architecture: "amd64".to_owned(), os: "linux".to_owned(), config, ..ImageConfig::default() }
}

/// The empty object, without naming its type's crate.
fn serde_map<T: Default>() -> T {
    T::default()
}

fn inventory() -> Inventory {
    let mut libc = licensed(Package::new(Ecosystem::Deb, "libc6", "2.41-12"), "LGPL-2.1-or-later");
    libc.distro = Some(RELEASE.to_owned());
    Inventory {
        distro: Some(Distro { id: "debian".into(), version: "13".into(), name: "Debian 13".into() }),
        packages: vec![
            libc,
            licensed(Package::new(Ecosystem::Npm, "express", "5.1.0"), "MIT"),
            licensed(Package::new(Ecosystem::Npm, "ms", "2.1.3"), "MIT"),
            licensed(Package::new(Ecosystem::Node, "node", "24.11.1"), "MIT"),
        ],
        layers: (0_u8..4).map(|layer| kiln_pkg::Layer::new(Digest::of(&[layer]))).collect(),
        ..Inventory::default()
    }
}

fn licensed(mut package: Package, licence: &str) -> Package {
    package.licence = Some(Licence::declared(licence));
    package
}

fn report() -> VulnerabilityReport {
    let as_of = Date::from_days(today().days() - 3);
    let full = || Covered::Full { as_of };
    let why = "the advisory database does not follow this release".to_owned();
    let group = |ecosystem: Ecosystem, release: &str, packages, covered| Coverage {
        ecosystem,
        release: release.to_owned(),
        packages,
        feed: Some(if ecosystem == Ecosystem::Deb { "debian".to_owned() } else { ecosystem.to_string() }),
        covered,
        elsewhere: false,
        names_malware: None,
    };
    VulnerabilityReport {
        matches: Vec::new(),
        suppressed: Vec::new(),
        coverage: vec![
            group(Ecosystem::Deb, RELEASE, 1, Covered::None { why }),
            group(Ecosystem::Npm, "", 2, full()),
            group(Ecosystem::Node, "", 1, full()),
        ],
        end_of_life: Vec::new(),
        unread: Vec::new(),
        unseen: Vec::new(),
        database: Digest::of(b"database"),
        as_of: Some(as_of),
    }
}
