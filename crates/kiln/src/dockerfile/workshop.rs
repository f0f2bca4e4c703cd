//! Layers of this machine: blobs in the store, folders in the cache, and commands that run over them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use kiln_build::Key;
use kiln_build::dockerfile::{BaseLayer, Depth, Form, Job, Layer, Workshop};
use kiln_disk::Dir;
use kiln_image::{Compression, PackedLayer, Sink, Source, pack_delta};
use kiln_oci::Digest;
use kiln_rootfs::{Content, Delta, Entry, Kind, LayerReader, Limits, RootPath, decompress};
use kiln_sandbox::{Ids, Placing, User, read_upper, write_upper};
use kiln_store::Layout;

use super::exec::Executor;
use super::notes::NoteBook;
use super::spool::Spool;
use crate::failure::Failure;
use crate::place::Place;
use crate::port_error::PortError;
use crate::scratch::{Scratch, io};

/// Files whose content is wanted although a layer is only looked at.
const ACCOUNTS: [&str; 2] = ["etc/passwd", "etc/group"];
const ACCOUNTS_MAX: u64 = 4 << 20;

/// Where results lie; names beside it are links into it.
const RESULTS: &str = "results";
/// How long a result without a name may still be in use.
const UNNAMED_FOR: Duration = Duration::from_hours(24);
/// Results that no build used for so long are removed.
const UNUSED_FOR: Duration = Duration::from_hours(30 * 24);
/// How many links of lower layers the entries of one layer may lie below.
const LINKS_MAX: usize = 100;
/// How exactly the last use is known.
const TOUCHED_EVERY: Duration = Duration::from_hours(1);

/// Where layers are made and kept.
pub(super) struct Shop<'a> {
    pub(super) layout: &'a Layout,
    pub(super) notes: &'a NoteBook,
    pub(super) ids: Ids,
    pub(super) compression: Compression,
    pub(super) mtime: u64,
    pub(super) executor: &'a Executor<'a>,
    /// `layers/<ids>` of the cache.
    folder: PathBuf,
    /// Where nothing stays.
    scratch: PathBuf,
    /// Layers that are being unpacked; each is unpacked once.
    unpacking: Mutex<()>,
    /// Where layers are that other machines made, by digest.
    remotes: Vec<(Place, BTreeMap<Digest, PackedLayer>)>,
}

impl<'a> Shop<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        notes: &'a NoteBook,
        executor: &'a Executor<'a>,
        cache_dir: &Path,
        ids: Ids,
        mtime: u64,
        compression: Compression,
    ) -> Self {
        let folder = cache_dir.join("layers").join(owners(ids));
        let scratch = folder.join("scratch");
        Scratch::sweep(&scratch);
        sweep(&folder);
        let unpacking = Mutex::new(());
        Self {
            layout,
            notes,
            ids,
            compression,
            mtime,
            executor,
            folder,
            scratch,
            unpacking,
            remotes: Vec::new(),
        }
    }

    pub(super) fn scratch(&self) -> Result<Scratch, Failure> {
        Scratch::create(&self.scratch)
    }

    fn made(&self, key: &Digest) -> PathBuf {
        self.folder.join(key.hex())
    }

    fn packed_key(&self, key: &Digest) -> Digest {
        Key::new("packed")
            .field("step", key.as_bytes())
            .field("mtime", self.mtime.to_string())
            .field("compression", format!("{:?}", self.compression))
            .finish()
    }

    /// The blob of a step, if it was packed and is still there.
    fn packed(&self, key: &Digest) -> Result<Option<PackedLayer>, Failure> {
        let Some(noted) = self.notes.get(&self.packed_key(key))? else { return Ok(None) };
        let Ok(layer) = serde_json::from_slice::<PackedLayer>(&noted) else { return Ok(None) };
        let is_here = self.layout.has(&layer.descriptor)? || self.remote(&layer).is_some();
        Ok(is_here.then_some(layer))
    }

    fn remote(&self, layer: &PackedLayer) -> Option<&Place> {
        let has = |(_, layers): &&(Place, BTreeMap<Digest, PackedLayer>)| {
            layers.get(&layer.descriptor.digest) == Some(layer)
        };
        self.remotes.iter().find(has).map(|(place, _)| place)
    }

    /// Another place that has layers.
    pub(super) fn add_remote(&mut self, place: Place, layers: impl Iterator<Item = PackedLayer>) {
        self.remotes.push((place, layers.map(|layer| (layer.descriptor.digest, layer)).collect()));
    }

    /// Makes sure that a blob is in the store.
    fn bring(&self, layer: &PackedLayer) -> Result<(), Failure> {
        if self.layout.has(&layer.descriptor)? {
            return Ok(());
        }
        if let Some(place) = self.remote(layer) {
            let mut bytes = place.open(&layer.descriptor)?;
            self.layout.put(&layer.descriptor, &mut bytes)?;
        }
        Ok(())
    }

    /// Notes that the step with this key made this blob.
    fn learn(&self, key: &Digest, layer: &PackedLayer) -> Result<(), Failure> {
        Ok(self.notes.put(&self.packed_key(key), &noted(layer))?)
    }

    /// Believes of a cache of somebody else's that the step with this key made this blob.
    pub(super) fn borrow(&self, key: &Digest, layer: &PackedLayer) {
        self.notes.lend(self.packed_key(key), noted(layer));
    }

    fn pack_delta(&self, key: &Digest, delta: &Delta) -> Result<PackedLayer, Failure> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (blob, layer) = pack_delta(delta, self.mtime, self.compression, threads, self.layout.ingest()?)?;
        blob.commit(Some((layer.descriptor.digest, layer.descriptor.size)))?;
        self.learn(key, &layer)?;
        Ok(layer)
    }

    /// The folder of a layer, which is unpacked if it is not there.
    pub(super) fn folder_of(&self, layer: &Layer) -> Result<PathBuf, Failure> {
        if let Some(inside) = self.unpacked(layer) {
            return Ok(inside);
        }
        let _one_at_a_time = self.unpacking.lock().unwrap_or_else(PoisonError::into_inner);
        self.unpack(layer)
    }

    /// The folder of a layer, if it is there.
    fn unpacked(&self, layer: &Layer) -> Option<PathBuf> {
        let places = match layer {
            Layer::Base(base) => vec![self.base_folder(base.packed()), self.stacked_folder(base)],
            Layer::Made(key) => vec![self.made(key)],
        };
        places.into_iter().find_map(|folder| {
            let inside = folder.join("fs");
            inside.is_dir().then(|| {
                touch(&folder);
                inside
            })
        })
    }

    /// The folder of a layer, unpacked where it is not there; one at a time.
    fn unpack(&self, layer: &Layer) -> Result<PathBuf, Failure> {
        if let Some(inside) = self.unpacked(layer) {
            return Ok(inside);
        }
        let packed = match layer {
            Layer::Base(base) => base.packed().clone(),
            Layer::Made(key) => self.packed(key)?.ok_or_else(|| lost(key))?,
        };
        let scratch = self.scratch()?;
        let place = scratch.path().join("spool");
        let spool = Spool::new(Dir::create(&place).map_err(|error| io("create", &place, &error))?);
        let mut delta = self.stream(&packed, &mut |size, bytes| spool.keep(size, bytes))?;
        let needs_below = delta.links_below().next().is_some() || !delta.folders_below().is_empty();
        let folder = match layer {
            Layer::Base(base) if needs_below && base.below().next().is_some() => {
                self.follow_links(base, &mut delta)?;
                for folder in delta.folders_below() {
                    self.borrow_folder(base, &mut delta, folder)?;
                }
                self.borrow_links(base, &mut delta, &spool)?;
                self.stacked_folder(base)
            }
            Layer::Base(base) => self.base_folder(base.packed()),
            Layer::Made(key) => self.made(key),
        };
        if let Some((path, target)) = delta.links_below().next() {
            return Err(refused(&packed, path, target));
        }
        write_upper(&delta, &scratch.path().join("fs"), self.ids, Placing::Move)?;
        kiln_sandbox::remove(&place)?;
        self.put_in_place(scratch.path(), &folder)?;
        Ok(folder.join("fs"))
    }

    /// Puts files of the layers below that this one has other names for into this one, as a container runtime does that applies
    /// it over them.
    fn borrow_links(&self, base: &BaseLayer, delta: &mut Delta, spool: &Spool) -> Result<(), Failure> {
        let links: Vec<_> = delta.links_below().map(|(path, file)| (path.clone(), file.clone())).collect();
        for (path, target) in links {
            let failed = || refused(base.packed(), &path, &target);
            if delta.tree.get(&target).is_some() {
                continue;
            }
            let Some(mut entry) = self.entry_below(base, &target)? else { return Err(failed()) };
            if let Kind::File(content) = &entry.kind {
                let copied = content.open().and_then(|mut bytes| spool.keep(content.size(), &mut bytes));
                entry.kind =
                    Kind::File(copied.map_err(|error| io("read", Path::new(target.as_str()), &error))?);
                self.borrow_folders(base, delta, &target)?;
                delta.tree.insert(target.clone(), entry).map_err(|_| failed())?;
            } else if matches!(entry.kind, Kind::Dir) {
                return Err(failed());
            } else if let Some(link) = delta.tree.get_mut(&path) {
                // Another name of a link is a link that leads to the same place.
                link.kind = entry.kind;
            }
        }
        Ok(())
    }

    /// Moves what lies below links of lower layers to where they lead.
    fn follow_links(&self, base: &BaseLayer, delta: &mut Delta) -> Result<(), Failure> {
        for _ in 0..LINKS_MAX {
            let mut link = None;
            for folder in delta.folders_below() {
                if let Some(Entry { kind: Kind::Symlink(target), .. }) = self.entry_below(base, &folder)? {
                    link = Some((folder, target));
                    break;
                }
            }
            let Some((folder, target)) = link else { return Ok(()) };
            let start =
                if target.starts_with('/') { RootPath::ROOT } else { folder.parent().unwrap_or_default() };
            let to = RootPath::clamped(&format!("{start}/{target}"))?;
            if to.starts_with(&folder) {
                break;
            }
            delta.relocate(&folder, &to).map_err(|error| unreadable(base.packed(), error.to_string()))?;
        }
        Err(unreadable(base.packed(), "links of the layers below lead in circles".to_owned()))
    }

    /// Makes a folder of this layer what it is in the layers below.
    fn borrow_folder(&self, base: &BaseLayer, delta: &mut Delta, folder: RootPath) -> Result<(), Failure> {
        if let Some(entry @ Entry { kind: Kind::Dir, .. }) = self.entry_below(base, &folder)? {
            delta.tree.insert(folder, entry)?;
        }
        Ok(())
    }

    /// The same of all folders above a file that this layer does not have.
    fn borrow_folders(&self, base: &BaseLayer, delta: &mut Delta, path: &RootPath) -> Result<(), Failure> {
        let Some(folder) = path.parent().filter(|folder| !folder.is_root()) else { return Ok(()) };
        if delta.tree.get(&folder).is_some() {
            return Ok(());
        }
        self.borrow_folders(base, delta, &folder)?;
        self.borrow_folder(base, delta, folder)
    }

    /// A file, link or folder of the layers below a layer of a base, as it is seen there.
    fn entry_below(&self, base: &BaseLayer, path: &RootPath) -> Result<Option<Entry>, Failure> {
        for lower in base.below() {
            let folder = self.unpack(&Layer::Base(lower))?;
            let folder = Dir::open(&folder).map_err(|error| io("read", &folder, &error))?;
            let found = kiln_sandbox::read_entry(&folder, path, self.ids, &User::default())?;
            if found.is_some() || folder.meta(path).is_ok() || kiln_sandbox::hides(&folder, path) {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Reads a blob from end to end. `keep` says what becomes of the bytes of each file, given its size.
    fn stream(
        &self,
        packed: &PackedLayer,
        keep: &mut dyn FnMut(u64, &mut dyn Read) -> io::Result<Content>,
    ) -> Result<Delta, Failure> {
        self.bring(packed)?;
        let blob = self.layout.open(&packed.descriptor)?;
        let tar = decompress(blob).map_err(|error| unreadable(packed, error.to_string()))?;
        let mut reader = LayerReader::new(tar, Limits::default());
        let mut trouble = None;
        let delta = Delta::read(&mut reader, &mut |entry, bytes| {
            Ok(keep(entry.size, bytes).unwrap_or_else(|error| {
                trouble.get_or_insert(error);
                Content::Bytes(Arc::from([]))
            }))
        });
        if let Some(error) = trouble {
            return Err(io("unpack the layer", Path::new(&packed.descriptor.digest.to_string()), &error));
        }
        let delta = delta.map_err(|error| unreadable(packed, error.to_string()))?;
        reader.drain()?;
        Ok(delta)
    }

    /// Names and attributes of a blob, without unpacking it.
    fn names(&self, packed: &PackedLayer) -> Result<Delta, Failure> {
        self.bring(packed)?;
        let blob = self.layout.open(&packed.descriptor)?;
        let tar = decompress(blob).map_err(|error| unreadable(packed, error.to_string()))?;
        let mut reader = LayerReader::new(tar, Limits::default());
        let delta = outline(&mut reader).map_err(|error| unreadable(packed, error.to_string()))?;
        reader.drain()?;
        Ok(delta)
    }

    /// Names and attributes of a layer. They are kept beside it: a large layer takes long to look through, and a copy onto
    /// it wants to know little.
    fn kept_names(&self, layer: &Layer) -> Result<Delta, Failure> {
        let (folder, packed) = match layer {
            Layer::Base(base) => (self.base_folder(base.packed()), Some(base.packed().clone())),
            Layer::Made(key) => (self.made(key), self.packed(key)?),
        };
        let kept = match (layer, fs::read_link(&folder)) {
            (Layer::Base(base), _) => Key::new("names").field("layer", base.packed().diff_id.as_bytes()),
            (_, Ok(result)) => Key::new("names").field("result", result.as_os_str().as_encoded_bytes()),
            (Layer::Made(key), Err(_)) => Key::new("names").field("made", key.as_bytes()),
        };
        let kept = kept.finish();
        if let Some(noted) = self.notes.get(&kept)?
            && let Ok(tar) = decompress(&noted[..])
            && let Ok(delta) = outline(&mut LayerReader::new(tar, Limits::default()))
        {
            return Ok(delta);
        }
        let delta = match packed {
            Some(packed) if !folder.join("fs").is_dir() => self.names(&packed)?,
            _ => bare(read_upper(&self.folder_of(layer)?, self.ids, &self.owner_of(layer))?)?,
        };
        let (noted, _) = pack_delta(&delta, 0, Compression::Zstd, 1, Vec::new())?;
        self.notes.put(&kept, &noted)?;
        Ok(delta)
    }

    fn base_folder(&self, packed: &PackedLayer) -> PathBuf {
        self.folder.join(format!("base-{}", packed.diff_id.hex()))
    }

    /// Where a layer lies that takes something from those below it.
    fn stacked_folder(&self, base: &BaseLayer) -> PathBuf {
        let start = Key::new("chain").field("layer", base.packed().diff_id.as_bytes());
        let key =
            base.below().fold(start, |key, lower| key.field("below", lower.packed().diff_id.as_bytes()));
        self.folder.join(format!("base-{}", key.finish().hex()))
    }

    fn read_layer(&self, layer: &Layer, depth: Depth) -> Result<Delta, Failure> {
        match depth {
            Depth::Names => self.kept_names(layer),
            Depth::Content => Ok(read_upper(&self.folder_of(layer)?, self.ids, &self.owner_of(layer))?),
        }
    }

    /// Who owns what a layer says nothing of: whoever its command ran as.
    fn owner_of(&self, layer: &Layer) -> User {
        let Layer::Made(key) = layer else { return User::default() };
        let noted = fs::read_to_string(self.made(key).join("user")).unwrap_or_default();
        let mut numbers = noted.split_ascii_whitespace().map_while(|number| number.parse().ok());
        let (uid, gid) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        User { uid, gid, groups: Vec::new() }
    }

    fn keep_layer(&self, key: &Digest, delta: &Delta, form: Form) -> Result<(), Failure> {
        if form == Form::Blob {
            return self.pack_delta(key, delta).map(drop);
        }
        let scratch = self.scratch()?;
        write_upper(delta, &scratch.path().join("fs"), self.ids, Placing::Copy)?;
        self.put_in_place(scratch.path(), &self.made(key))
    }

    fn run_job(&self, key: &Digest, job: &Job<'_>) -> Result<bool, Failure> {
        let scratch = self.scratch()?;
        self.executor.run(self, job, &scratch)?;
        let left = scratch.path().join("fs");
        let is_empty = fs::read_dir(&left).map_err(|error| io("read", &left, &error))?.next().is_none();
        self.notes.forget(&self.packed_key(key))?;
        if is_empty {
            let kept = self.made(key);
            if kept.is_symlink() {
                kiln_disk::own::remove_file(&kept).map_err(|error| io("remove", &kept, &error))?;
            }
            return Ok(false);
        }
        let user = scratch.path().join("user");
        let text = format!("{} {}", job.user.uid, job.user.gid);
        let written = kiln_disk::create(&user, text.as_bytes(), kiln_disk::PRIVATE);
        written.map_err(|error| io("write", &user, &error))?;
        self.put_in_place(scratch.path(), &self.made(key))?;
        Ok(true)
    }

    /// Moves `fs` and `user` of a scratch folder to a folder of their own, and makes `name` a link to it, at once. Another
    /// build may run over what the link led to before, so that stays until [`sweep`].
    fn put_in_place(&self, scratch: &Path, name: &Path) -> Result<(), Failure> {
        let unique = scratch.file_stem().unwrap_or_default().to_string_lossy();
        let stem = name.file_name().unwrap_or_default().to_string_lossy();
        let results = self.folder.join(RESULTS);
        let (target, link) = (results.join(format!("{stem}-{unique}")), scratch.join("link"));
        let moved = || {
            kiln_disk::own::folder(&results)?;
            let whole = scratch.join("whole");
            kiln_disk::own::new_folder(&whole)?;
            kiln_disk::own::rename(scratch.join("fs"), whole.join("fs"))?;
            if scratch.join("user").exists() {
                kiln_disk::own::rename(scratch.join("user"), whole.join("user"))?;
            }
            if target.exists() {
                kiln_sandbox::remove(&target).map_err(io::Error::other)?;
            }
            kiln_disk::own::rename(&whole, &target)?;
            if let Ok(old) = fs::read_link(name) {
                touch(&old);
            }
            kiln_disk::own::symlink(&target, &link)?;
            kiln_disk::own::rename(&link, name)
        };
        moved().map_err(|error| io("put in place", name, &error))
    }

    fn pack_layer(&self, layer: &Layer) -> Result<PackedLayer, Failure> {
        match layer {
            Layer::Base(base) => Ok(base.packed().clone()),
            Layer::Made(key) => match self.packed(key)? {
                Some(packed) => {
                    self.bring(&packed)?;
                    Ok(packed)
                }
                None => self.pack_delta(key, &self.read_layer(layer, Depth::Content)?),
            },
        }
    }
}

/// What a layer says without the content of its files.
fn outline<R: Read>(reader: &mut LayerReader<R>) -> Result<Delta, kiln_rootfs::Error> {
    Delta::read(reader, &mut |entry, bytes| {
        let mut content = Vec::new();
        if ACCOUNTS.contains(&entry.path.as_str()) {
            bytes.take(ACCOUNTS_MAX).read_to_end(&mut content).map_err(kiln_rootfs::Error::from_read)?;
        }
        Ok(Content::Bytes(content.into()))
    })
}

/// The same of a layer whose content lies on disk.
fn bare(mut delta: Delta) -> Result<Delta, Failure> {
    for (path, entry) in delta.tree.iter_mut() {
        let Kind::File(content) = &mut entry.kind else { continue };
        let mut bytes = Vec::new();
        if ACCOUNTS.contains(&path.as_str()) {
            let read = content.open().and_then(|file| file.take(ACCOUNTS_MAX).read_to_end(&mut bytes));
            read.map_err(|error| io("read", Path::new(path.as_str()), &error))?;
        }
        *content = Content::Bytes(bytes.into());
    }
    Ok(delta)
}

/// The folder of what has owners of this kind. Real owners are other ids on disk where other ids are to be had.
pub(super) fn owners(ids: Ids) -> String {
    match ids {
        Ids::One => "one".to_owned(),
        Ids::Many { first, .. } => format!("many-{first}"),
    }
}

/// Removes what no build has used for long: results, and the names that lead to them.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let links = entries.flatten().filter_map(|entry| Some((entry.path(), fs::read_link(entry.path()).ok()?)));
    let mut named = BTreeSet::new();
    for (link, result) in links {
        if unused_for(&result).is_none_or(|age| age > UNUSED_FOR) {
            drop(kiln_disk::own::remove_file(&link));
        } else {
            named.insert(result);
        }
    }
    let Ok(results) = fs::read_dir(folder.join(RESULTS)) else { return };
    for result in results.flatten().map(|entry| entry.path()).filter(|path| !named.contains(path)) {
        // Another build may still run over what has lost its name.
        if unused_for(&result).is_some_and(|age| age > UNNAMED_FOR) {
            drop(kiln_sandbox::remove(&result));
        }
    }
}

fn unused_for(result: &Path) -> Option<Duration> {
    fs::metadata(result).ok()?.modified().ok()?.elapsed().ok()
}

/// Remembers when a result was used last, in its own time, once in an hour.
fn touch(result: &Path) {
    if unused_for(result).is_some_and(|age| age > TOUCHED_EVERY)
        && let Ok(folder) = fs::File::open(result)
    {
        // Where that cannot be written down, the result goes sooner.
        drop(folder.set_modified(SystemTime::now()));
    }
}

fn noted(layer: &PackedLayer) -> Vec<u8> {
    serde_json::to_vec(layer).expect("a layer is texts and numbers")
}

fn unreadable(packed: &PackedLayer, cause: String) -> Failure {
    let what = format!("read the layer {}", packed.descriptor.digest);
    Failure::new("build.layer", kiln_finding::Class::Content, what).with_cause(cause)
}

fn refused(packed: &PackedLayer, path: &RootPath, target: &RootPath) -> Failure {
    let why =
        format!("the hard link `{path}` names `{target}`, which is no file of this layer or of those below");
    unreadable(packed, why)
}

fn lost(key: &Digest) -> Failure {
    Failure::new("build.lost", kiln_finding::Class::Environment, format!("find the result of the step {key}"))
        .with_help("something removed it during the build; run the command again")
}

impl Workshop for Shop<'_> {
    type Error = PortError;

    fn has(&self, key: &Digest) -> Result<bool, PortError> {
        if self.made(key).is_dir() {
            return Ok(true);
        }
        Ok(self.packed(key).map_err(PortError::new)?.is_some())
    }

    fn read(&self, layer: &Layer, depth: Depth) -> Result<Arc<Delta>, PortError> {
        self.read_layer(layer, depth).map(Arc::new).map_err(PortError::new)
    }

    fn keep(&self, key: &Digest, delta: &Delta, form: Form) -> Result<(), PortError> {
        self.keep_layer(key, delta, form).map_err(PortError::new)
    }

    fn run(&self, key: &Digest, job: &Job<'_>) -> Result<bool, PortError> {
        self.run_job(key, job).map_err(PortError::new)
    }

    fn pack(&self, layer: &Layer) -> Result<PackedLayer, PortError> {
        self.pack_layer(layer).map_err(PortError::new)
    }
}
