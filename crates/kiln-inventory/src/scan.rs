use std::collections::BTreeMap;
use std::io::{self, Read};

use kiln_oci::Digest;
use kiln_pkg::Unread;
use kiln_rootfs::{EntryKind, LayerEntry, LayerReader, Whiteout};

use crate::catalogers::cataloger::{Candidate, Cataloger};
use crate::catalogers::{self, CATALOG};
use crate::error::ErrorKind;
use crate::facts::{FileFacts, LayerFacts, Reading};
use crate::nameless::{Code, is_modules};
use crate::paths::PathLogger;
use crate::secrets::Search;
use crate::{Error, indicator};

/// Files with facts kept for one layer; beyond it the layer is not complete, and says so.
const MAX_FILES: usize = 200_000;

/// Reads a layer to its end, once. `digest` is the layer's as the caller knows or will check it.
///
/// Fails where the layer itself cannot be read; a file that a cataloger cannot read becomes [`Unread`].
pub fn scan_layer<R: Read>(layer: &mut LayerReader<R>, digest: Digest) -> Result<LayerFacts, Error> {
    let mut scan = Scan::new(digest);
    while let Some(entry) = layer.next_entry().map_err(|source| ErrorKind::Layer { layer: digest, source })? {
        scan.entry(&entry, layer);
    }
    Ok(scan.finish())
}

pub(crate) struct Scan {
    facts: LayerFacts,
    paths: PathLogger,
    search: Search,
    /// Where in `facts.files` the files with readings are, for hard links to them.
    read: BTreeMap<String, usize>,
    code: Code,
    buffer: Vec<u8>,
}

impl Scan {
    pub(crate) fn new(digest: Digest) -> Self {
        let facts = LayerFacts {
            catalog: CATALOG,
            digest,
            content: digest,
            entries: 0,
            files: Vec::new(),
            removed: Vec::new(),
            emptied: Vec::new(),
            paths: crate::paths::PathLog::default(),
            unread: Vec::new(),
        };
        Self {
            facts,
            paths: PathLogger::new(),
            search: Search::new(),
            read: BTreeMap::new(),
            code: Code::default(),
            buffer: vec![0; 64 << 10],
        }
    }

    pub(crate) fn entry(&mut self, entry: &LayerEntry, content: &mut impl Read) {
        self.facts.entries += 1;
        match &entry.kind {
            EntryKind::Whiteout(Whiteout::Remove(path)) => {
                return self.facts.removed.push(path.as_str().to_owned());
            }
            EntryKind::Whiteout(Whiteout::Opaque(path)) => {
                return self.facts.emptied.push(path.as_str().to_owned());
            }
            _ => {}
        }
        let path = entry.path.as_str();
        let is_dir = entry.kind == EntryKind::Dir;
        self.paths.push(path, is_dir);
        let mut file = FileFacts {
            path: path.to_owned(),
            is_dir,
            indicators: indicator::of(entry),
            ..FileFacts::default()
        };
        if matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_)) {
            self.code.add(path);
        }
        match &entry.kind {
            EntryKind::File => self.read_file(entry, &mut file, content),
            EntryKind::Hardlink(target) => self.follow_link(entry, target.as_str(), &mut file),
            EntryKind::Symlink(target)
                if catalogers::is_package_folder(path)
                    || is_modules(path)
                    || catalogers::documented(path).is_some() =>
            {
                file.readings.push(Reading::Link(target.clone()));
            }
            _ => {}
        }
        self.keep(file);
    }

    fn read_file(&mut self, entry: &LayerEntry, file: &mut FileFacts, content: &mut impl Read) {
        let candidate = Candidate { path: entry.path.as_str(), size: entry.size, mode: entry.mode };
        let mut content = Tee { content, search: &mut self.search };
        if let Some(cataloger) = catalogers::find(&candidate) {
            run(cataloger, &candidate, &mut content, file);
        }
        // A failure here repeats at the next header and fails the layer.
        while content.read(&mut self.buffer).is_ok_and(|count| count > 0) {}
        file.secrets.extend(self.search.finish(file.path.as_str()));
    }

    /// A hard link is another name of a file of the same layer, or of one below, and has no content of its own.
    fn follow_link(&self, entry: &LayerEntry, target: &str, file: &mut FileFacts) {
        let candidate = Candidate { path: entry.path.as_str(), size: u64::MAX, mode: entry.mode };
        let Some(cataloger) = catalogers::find(&candidate) else { return };
        if let Some(known) = self.read.get(target).and_then(|&at| self.facts.files.get(at)) {
            file.readings.clone_from(&known.readings);
            file.unread.clone_from(&known.unread);
            for package in file.readings.iter_mut().filter_map(Reading::package_mut) {
                for place in &mut package.places {
                    entry.path.as_str().clone_into(&mut place.path);
                }
            }
            return;
        }
        // A layer below may have it.
        file.readings.push(Reading::SameAs(target.to_owned()));
        file.unread = Some(Unread {
            path: entry.path.as_str().to_owned(),
            reader: cataloger.name.to_owned(),
            why: format!("it is a hard link to {target}, which no cataloger read"),
        });
    }

    fn keep(&mut self, file: FileFacts) {
        if file.is_empty() && !self.read.contains_key(&file.path) {
            return;
        }
        if self.facts.files.len() < MAX_FILES {
            self.read.insert(file.path.clone(), self.facts.files.len());
            self.facts.files.push(file);
        } else if self.facts.unread.is_empty() {
            self.facts.unread.push(Unread {
                path: self.facts.digest.to_string(),
                reader: "layer".to_owned(),
                why: format!("it holds more than {MAX_FILES} files of interest; the rest was left out"),
            });
        }
    }

    /// Notes something that could not be looked at.
    pub(crate) fn unread(&mut self, path: &str, reader: &str, why: String) {
        self.facts.unread.push(Unread { path: path.to_owned(), reader: reader.to_owned(), why });
    }

    pub(crate) fn finish(mut self) -> LayerFacts {
        for path in std::mem::take(&mut self.code).without(|manifest| self.read.contains_key(manifest)) {
            match self.read.get(&path).and_then(|&at| self.facts.files.get_mut(at)) {
                Some(file) => file.readings.push(Reading::Code),
                None => self.keep(FileFacts { path, readings: vec![Reading::Code], ..FileFacts::default() }),
            }
        }
        self.facts.paths = self.paths.finish();
        self.facts
    }
}

fn run(cataloger: &Cataloger, candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) {
    if let Err(why) = (cataloger.read)(candidate, content, file) {
        let path = candidate.path.to_owned();
        file.unread = Some(Unread { path, reader: cataloger.name.to_owned(), why });
    }
}

/// Shows what passes through to the search for secrets.
struct Tee<'a, R> {
    content: &'a mut R,
    search: &'a mut Search,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.search.feed(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
