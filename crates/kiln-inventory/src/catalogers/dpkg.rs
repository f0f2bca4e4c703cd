use std::io::Read;

use kiln_pkg::{Ecosystem, Package, Packager, Place, Source};

use super::cataloger::{Candidate, Cataloger};
use super::lines::{field, stanzas};
use crate::facts::{FileFacts, Reading};

/// Debian packages: `status` of dpkg, and `status.d` of distroless, which has one file per package and no `Status` field.
/// Source: deb-control(5), dpkg(1); distroless' PACKAGE_METADATA.md.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "dpkg", examples: &["var/lib/dpkg/status", "var/lib/dpkg/status.d/a"], wants, read };

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_D: &str = "var/lib/dpkg/status.d/";
/// Control files that distroless keeps beside the packages.
const OTHERS: &[&str] = &[
    ".md5sums",
    ".preinst",
    ".postinst",
    ".prerm",
    ".postrm",
    ".list",
    ".conffiles",
    ".triggers",
    ".shlibs",
    ".symbols",
];

fn wants(candidate: &Candidate<'_>) -> bool {
    let one = candidate.path.strip_prefix(STATUS_D);
    let one = one.is_some_and(|name| !name.contains('/') && !OTHERS.iter().any(|end| name.ends_with(end)));
    candidate.path == STATUS || one
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let keep = |key: &str| {
        matches!(
            key,
            "Package"
                | "Status"
                | "Version"
                | "Architecture"
                | "Source"
                | "Maintainer"
                | "Depends"
                | "Pre-Depends"
                | "Provides"
                | "Section"
                | "Priority"
                | "Multi-Arch"
                | "Origin"
                | "Vendor"
                | "License"
        )
    };
    let mut nameless = 0;
    stanzas(content, keep, |fields| {
        if is_gone(field(fields, "Status")) {
            return;
        }
        match package(fields, candidate.path) {
            Some(package) => file.readings.push(Reading::Package(Box::new(package))),
            None => nameless += 1,
        }
    })?;
    if nameless > 0 {
        return Err(format!("{nameless} of its entries have no name or no version"));
    }
    if candidate.path != STATUS && file.readings.is_empty() {
        return Err("it holds no package".to_owned());
    }
    Ok(())
}

/// Removed, with or without configuration left behind.
fn is_gone(status: Option<&str>) -> bool {
    status.is_some_and(|status| {
        let mut words = status.split_whitespace();
        matches!(words.next(), Some("deinstall" | "purge"))
            || matches!(words.nth(1), Some("config-files" | "not-installed"))
    })
}

fn package(fields: &[(String, String)], path: &str) -> Option<Package> {
    let version = field(fields, "Version")?;
    let mut package = Package::new(Ecosystem::Deb, field(fields, "Package")?, version);
    package.arch = field(fields, "Architecture").map(str::to_owned);
    package.supplier = field(fields, "Maintainer").map(str::to_owned);
    package.packager = packager(fields);
    package.source = Some(source(field(fields, "Source").unwrap_or(&package.name), version));
    let relations = [field(fields, "Depends"), field(fields, "Pre-Depends")];
    package.requires =
        relations.into_iter().flatten().flat_map(|text| text.split(',')).map(alternatives).collect();
    package.requires.sort();
    package.requires.dedup();
    package.provides =
        field(fields, "Provides").into_iter().flat_map(|text| text.split(',')).map(alternatives).collect();
    package.provides.sort();
    package.provides.dedup();
    package.places = vec![Place { path: path.to_owned(), layer: None }];
    Some(package)
}

/// Who built it, by what is in its control file. fpm and nfpm write `Vendor`, `License` and a section that Debian does not have;
/// `Origin` is a vendor's. Debian's maintainers have addresses of Debian, or packages that only a distribution would make.
fn packager(fields: &[(String, String)]) -> Packager {
    let has = |name: &str| field(fields, name);
    let odd_section = matches!(has("Section"), Some("default" | "unknown" | "none"));
    let other_origin = has("Origin").is_some_and(|origin| !origin.eq_ignore_ascii_case("debian"));
    let maintainer = has("Maintainer").map(str::to_ascii_lowercase);
    let host = maintainer
        .as_deref()
        .and_then(|text| text.rsplit_once('@'))
        .map(|(_, host)| host.trim_end_matches('>'));
    let is_node_source = host == Some("nodesource.com")
        || has("Version").is_some_and(|version| version.contains("nodesource"));
    let is_rebuilt = has("Version").is_some_and(is_of_another_archive);
    if is_rebuilt
        || has("Vendor").is_some()
        || has("License").is_some()
        || odd_section
        || other_origin
        || is_node_source
    {
        return Packager::Other;
    }
    let of_debian = |host: &str| {
        ["debian.org", "debian.net"]
            .iter()
            .any(|known| host == *known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')))
    };
    let is_base = matches!(has("Priority"), Some("required" | "important" | "standard"));
    // Libraries for several machines, and data for all: whoever else makes packages has programs for one.
    let is_shared = has("Multi-Arch") == Some("same")
        || has("Multi-Arch").is_some() && has("Architecture") == Some("all");
    if maintainer.is_none() || host.is_some_and(of_debian) || is_shared || is_base {
        return Packager::Distribution;
    }
    Packager::Unsaid
}

/// Whether a version says that somebody built the package anew for a release of Debian: PostgreSQL's, MariaDB's, Docker's, nginx's and deb.sury.org's archives
/// write such, and Debian itself `+deb12u1` and `~bpo12+1`. Their maintainers are often Debian's own.
fn is_of_another_archive(version: &str) -> bool {
    const SIGNS: &[&str] =
        &["pgdg", "maria~", "+0~2", "+debian", "~debian", "~ubuntu.", "~ppa", "+ppa", "-dmo"];
    const RELEASES: &[&str] = &[
        "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "bionic", "focal", "jammy",
        "noble",
    ];
    let version = version.to_ascii_lowercase();
    SIGNS.iter().chain(RELEASES).any(|sign| version.contains(sign))
}

/// `name` or `name (version)`; the version is the package's own where it is not given.
fn source(text: &str, version: &str) -> Source {
    let (name, own) = text.split_once(' ').unwrap_or((text, ""));
    let own = own.trim().trim_start_matches('(').trim_end_matches(')');
    Source { name: name.to_owned(), version: if own.is_empty() { version } else { own }.to_owned() }
}

/// `a (>= 1) | b:any` as `a|b`.
fn alternatives(text: &str) -> String {
    let name = |one: &str| one.trim().split([' ', '(', ':', '[']).next().unwrap_or_default().to_owned();
    text.split('|').map(name).collect::<Vec<_>>().join("|")
}
