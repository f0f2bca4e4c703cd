use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read};

use kiln_pkg::{Ecosystem, Package, Place};

use super::cataloger::{Candidate, Cataloger, read_whole};
use super::zip_stream::{Budget, Visitor, walk};
use crate::facts::{FileFacts, Reading};

/// Java archives, and those inside them: what Maven wrote of what is in each, or its manifest. Sources: Maven Archiver,
/// "Archive content"; the JAR file specification, "JAR Manifest".
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "java", examples: &["app/a-1.0.jar", "app/a.ear"], wants, read };

const ENDINGS: [&str; 6] = ["jar", "war", "ear", "jpi", "hpi", "par"];
/// An application server has tens of thousands.
const MAX_ENTRIES: u32 = 1_000_000;
const MAX_BYTES: u64 = 4 << 30;
/// A bundle (`ear`) of applications (`war`) of libraries (`jar`), with one to spare.
const MAX_DEPTH: usize = 4;
const MAX_PACKAGES: usize = 20_000;
const MAX_PROPERTIES: u64 = 64 << 10;
/// Signed archives list each of their files.
const MAX_MANIFEST: u64 = 16 << 20;
/// The longest of each part of a name.
const MAX_TEXT: usize = 256;

fn wants(candidate: &Candidate<'_>) -> bool {
    is_archive(candidate.path) && candidate.size != u64::MAX
}

pub(super) fn is_archive(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(_, end)| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut budget = Budget { entries: MAX_ENTRIES, bytes: MAX_BYTES };
    let mut found = Found::default();
    let result = archive(candidate.path, content, &mut budget, &mut found, 1);
    // What was found before something was broken is there.
    for (name, version) in found.packages {
        let mut package = Package::new(Ecosystem::Maven, name, version);
        package.places = vec![Place { path: candidate.path.to_owned(), layer: None }];
        file.readings.push(Reading::Package(Box::new(package)));
    }
    let Some(first) = found.unnamed.first() else { return result };
    let more = if found.unnamed.len() > 1 { " and others" } else { "" };
    result.and(Err(format!("neither Maven nor a manifest says what {first}{more} is")))
}

#[derive(Default)]
struct Found {
    /// `group:artifact` and version.
    packages: BTreeSet<(String, String)>,
    /// Archives that do not say what they are.
    unnamed: Vec<String>,
}

fn archive(
    path: &str,
    content: &mut dyn Read,
    budget: &mut Budget,
    found: &mut Found,
    depth: usize,
) -> Result<(), String> {
    let mut inside = Inside { found, depth, maven: Vec::new(), manifest: BTreeMap::new() };
    let result = walk(&mut BufReader::with_capacity(32 << 10, content), budget, &mut inside);
    let Inside { maven, manifest, .. } = inside;
    let own = Own::of(path, &manifest);
    // An archive that carries others' classes has their descriptions, and may have none of its own.
    if !maven.iter().any(|one| own.is(one, maven.len() == 1)) {
        match own.identity() {
            Some(identity) => drop(found.packages.insert(identity)),
            None => found.unnamed.push(path.rsplit('/').next().unwrap_or_default().to_owned()),
        }
    }
    found
        .packages
        .extend(maven.into_iter().map(|one| (format!("{}:{}", one.group, one.artifact), one.version)));
    if found.packages.len() + found.unnamed.len() > MAX_PACKAGES {
        return Err(format!("it holds more than {MAX_PACKAGES} packages"));
    }
    result
}

struct Inside<'a> {
    found: &'a mut Found,
    depth: usize,
    maven: Vec<Maven>,
    manifest: BTreeMap<String, String>,
}

impl Visitor for Inside<'_> {
    fn wants(&self, name: &str) -> bool {
        is_manifest(name) || is_properties(name) || is_archive(name)
    }

    fn take(&mut self, name: &str, content: &mut dyn Read, budget: &mut Budget) -> Result<(), String> {
        if is_manifest(name) {
            self.manifest = manifest(&read_whole(content, MAX_MANIFEST)?);
            return Ok(());
        }
        if is_properties(name) {
            self.maven.extend(Maven::read(&read_whole(content, MAX_PROPERTIES)?));
            return Ok(());
        }
        if self.depth == MAX_DEPTH {
            return Err(format!("{name} in it lies deeper than {MAX_DEPTH} archives"));
        }
        archive(name, content, budget, self.found, self.depth + 1)
            .map_err(|why| if why.contains(" in it ") { why } else { format!("{name} in it: {why}") })
    }
}

fn is_manifest(name: &str) -> bool {
    name.eq_ignore_ascii_case("META-INF/MANIFEST.MF")
}

fn is_properties(name: &str) -> bool {
    name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties")
}

/// What Maven wrote of one project.
struct Maven {
    group: String,
    artifact: String,
    version: String,
}

impl Maven {
    /// Source: `java.util.Properties`, as far as Maven uses it.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut values = BTreeMap::new();
        for line in bytes.lines().map_while(Result::ok) {
            if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', '!'])) {
                values.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        let mut take = |key| values.remove(key).filter(|value| is_part(value));
        Some(Self { group: take("groupId")?, artifact: take("artifactId")?, version: take("version")? })
    }
}

/// What may stand in a name or a version; `${…}` is what a build did not fill in.
fn is_part(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '$' | '{' | '}' | ':' | '/');
    !text.is_empty() && text.len() <= MAX_TEXT && text.chars().all(fits)
}

/// The first section of a manifest; lines that start with a blank go on with the one before.
fn manifest(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        match (line.strip_prefix(' '), fields.last_mut()) {
            (Some(more), Some((_, value))) => value.push_str(more),
            _ => fields.extend(
                line.split_once(':').map(|(key, value)| (key.to_ascii_lowercase(), value.trim().to_owned())),
            ),
        }
    }
    fields.into_iter().collect()
}

/// What an archive says of itself, where Maven did not.
struct Own {
    /// Name of the file without its ending.
    stem: String,
    group: Option<String>,
    artifact: String,
    version: Option<String>,
}

impl Own {
    fn of(path: &str, manifest: &BTreeMap<String, String>) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        // `name-1.2.jar`: a version starts with a digit.
        let cut =
            stem.match_indices('-').find(|(at, _)| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let (artifact, version) = cut.map_or((stem, None), |(at, _)| (&stem[..at], Some(&stem[at + 1..])));
        let field =
            |key: &str| manifest.get(key).map(|value| value.split(';').next().unwrap_or_default().trim());
        let fitting = |key: &str| field(key).filter(|value| is_part(value));
        let version = version
            .filter(|version| is_part(version))
            .or_else(|| fitting("implementation-version"))
            .or_else(|| fitting("bundle-version"))
            .or_else(|| fitting("specification-version"));
        let bundle = fitting("bundle-symbolicname").filter(|name| name.contains('.'));
        let group = fitting("implementation-vendor-id").or_else(|| {
            bundle.map(|name| name.strip_suffix(artifact).map_or(name, |group| group.trim_end_matches('.')))
        });
        Self {
            group: group.filter(|group| !group.is_empty()).map(str::to_owned),
            stem: stem.to_owned(),
            artifact: artifact.to_owned(),
            version: version.map(str::to_owned),
        }
    }

    /// Whether Maven's description is of the archive itself: its name is `artifact`, or `artifact-` and a version. Of the only
    /// description in it, any ending will do. (`log4j-1.2-api` is no version of `log4j`.)
    fn is(&self, maven: &Maven, is_alone: bool) -> bool {
        let Some(rest) = self.stem.strip_prefix(&maven.artifact) else { return false };
        let version = rest.strip_prefix('-');
        rest.is_empty()
            || version.is_some_and(|version| is_alone || version.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// The group that the manifest gives; a name alone is no coordinate, and none is made up.
    fn identity(self) -> Option<(String, String)> {
        let group = self.group.filter(|_| is_part(&self.artifact))?;
        Some((format!("{group}:{}", self.artifact), self.version.unwrap_or_default()))
    }
}
