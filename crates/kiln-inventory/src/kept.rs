//! The facts of a layer as they are kept: read each time an image is scanned that is known, so a form without names and without
//! numbers as text. Whatever is damaged, of another version or cut off is no facts at all.

use kiln_oci::Digest;
use kiln_pkg::{
    Checksum, Distro, Ecosystem, Elsewhere, IndicatorKind, Licence, Origin, Package, Packager, Part, Place,
    Secret, Source, Unread,
};

use crate::catalogers::CATALOG;
use crate::facts::{FileFacts, LayerFacts, Reading};
use crate::paths::PathLog;
use crate::wire::{Input, Wire, choice, record};

const MAGIC: &[u8; 8] = b"KILNFA02";
/// Bytes of the digest of all that follows it.
const DIGEST: usize = 32;
/// Most bytes of facts; a layer of the most files that are kept has a tenth of it.
const MAX: usize = 256 << 20;

impl LayerFacts {
    /// The facts as bytes, to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.put(&mut body);
        [&MAGIC[..], Digest::of(&body).as_bytes(), &body].concat()
    }

    /// Facts that were kept; `None` where these bytes are not exactly what [`LayerFacts::to_bytes`] gave, or another catalog read
    /// the layer.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC).filter(|rest| rest.len() <= MAX)?;
        let (digest, body) = rest.split_at_checked(DIGEST)?;
        if Digest::of(body).as_bytes() != digest {
            return None;
        }
        let mut input = Input::new(body);
        let facts = Self::get(&mut input)?;
        (input.is_empty() && facts.catalog == CATALOG).then_some(facts)
    }
}

record!(LayerFacts { catalog, digest, content, entries, files, removed, emptied, paths, unread });
record!(FileFacts { path, is_dir, indicators, secrets, readings, unread });
record!(Unread { path, reader, why });
record!(Secret { rule, place, shown, deleted, published });
record!(Place { path, layer });
record!(Distro { id, version, name });
record!(Licence { declared, spdx });
record!(Source { name, version });
record!(Part { name, version });
record!(Package {
    ecosystem,
    name,
    version,
    source,
    arch,
    distro,
    supplier,
    packager,
    elsewhere,
    licence,
    dev,
    owner,
    parts,
    group,
    optional,
    checksums,
    origin,
    requires,
    provides,
    depends_on,
    direct,
    places,
});

choice!(Ecosystem, &Ecosystem::ALL);
choice!(Packager, &Packager::ALL);
choice!(Origin, &[Origin::Base, Origin::App]);
choice!(IndicatorKind, &IndicatorKind::ALL);

impl Wire for Checksum {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        String::get(input)?.parse().ok()
    }
}

impl Wire for Elsewhere {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Own => out.push(0),
            Self::Repository(at) => tagged(1, at, out),
            Self::Address(at) => tagged(2, at, out),
            Self::Unsaid => out.push(3),
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some(match input.byte()? {
            0 => Self::Own,
            1 => Self::Repository(Wire::get(input)?),
            2 => Self::Address(Wire::get(input)?),
            3 => Self::Unsaid,
            _ => return None,
        })
    }
}

impl Wire for PathLog {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some(Self(Wire::get(input)?))
    }
}

impl Wire for Reading {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Package(package) => tagged(0, package, out),
            Self::Manifest(package) => tagged(1, package, out),
            Self::Distro(distro) => tagged(2, distro, out),
            Self::DevOnly(folders) => tagged(3, folders, out),
            Self::Integrity(checked) => tagged(4, checked, out),
            Self::Owned { package, paths } => {
                tagged(5, package, out);
                paths.put(out);
            }
            Self::Licence { package, licence } => {
                tagged(6, package, out);
                licence.put(out);
            }
            Self::Link(target) => tagged(7, target, out),
            Self::From(folders) => tagged(8, folders, out),
            Self::Declares(names) => tagged(9, names, out),
            Self::Bundle => out.push(10),
            Self::Locations(places) => tagged(13, places, out),
            Self::Archive => out.push(14),
            Self::Wishes(names) => tagged(16, names, out),
            Self::Code => out.push(17),
            Self::Minified => out.push(18),
            Self::Script => out.push(22),
            Self::BuiltIn(names) => tagged(19, names, out),
            Self::Bundler => out.push(20),
            Self::OtherList(whose) => tagged(21, whose, out),
            Self::Projects(projects) => tagged(15, projects, out),
            Self::Release(release) => tagged(11, release, out),
            Self::SameAs(path) => tagged(12, path, out),
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some(match input.byte()? {
            0 => Self::Package(Wire::get(input)?),
            1 => Self::Manifest(Wire::get(input)?),
            2 => Self::Distro(Wire::get(input)?),
            3 => Self::DevOnly(Wire::get(input)?),
            4 => Self::Integrity(Wire::get(input)?),
            5 => Self::Owned { package: Wire::get(input)?, paths: Wire::get(input)? },
            6 => Self::Licence { package: Wire::get(input)?, licence: Wire::get(input)? },
            7 => Self::Link(Wire::get(input)?),
            8 => Self::From(Wire::get(input)?),
            9 => Self::Declares(Wire::get(input)?),
            10 => Self::Bundle,
            15 => Self::Projects(Wire::get(input)?),
            11 => Self::Release(Wire::get(input)?),
            12 => Self::SameAs(Wire::get(input)?),
            13 => Self::Locations(Wire::get(input)?),
            14 => Self::Archive,
            16 => Self::Wishes(Wire::get(input)?),
            17 => Self::Code,
            18 => Self::Minified,
            22 => Self::Script,
            19 => Self::BuiltIn(Wire::get(input)?),
            20 => Self::Bundler,
            21 => Self::OtherList(Wire::get(input)?),
            _ => return None,
        })
    }
}

fn tagged(kind: u8, value: &impl Wire, out: &mut Vec<u8>) {
    out.push(kind);
    value.put(out);
}
