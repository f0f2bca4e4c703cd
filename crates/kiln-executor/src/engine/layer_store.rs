//! Layers of this machine: blobs in the store, and folders in the cache for commands to run over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use kiln_build::Key;
use kiln_build::engine::{Depth, Form, Layer, UserIds};
use kiln_disk::{Scratch, disk_failure};
use kiln_finding::Failure;
use kiln_image::{Compression, PackedLayer, Sink, Source, pack_delta};
use kiln_images::Place;
use kiln_oci::Digest;
use kiln_rootfs::Delta;
use kiln_sandbox::{Ids, Placing, User, read_upper, write_upper};
use kiln_store::Layout;

use super::facts::FactCache;
use super::results::{put_in_place, sweep};

/// Where layers are made and kept.
pub(super) struct LayerStore<'a> {
    pub(super) layout: &'a Layout,
    pub(super) facts: &'a FactCache,
    pub(super) ids: Ids,
    pub(super) compression: Compression,
    pub(super) mtime: u64,
    /// `layers/<ids>` of the cache.
    pub(super) folder: PathBuf,
    /// Where nothing stays.
    scratch: PathBuf,
    /// Layers that are being unpacked; each is unpacked once.
    pub(super) unpacking: Mutex<()>,
    /// Says what is to be read afterwards, too.
    say: &'a (dyn Fn(&str) + Sync),
    /// Where layers are that other machines made, by digest.
    remotes: Vec<(Place, BTreeMap<Digest, PackedLayer>)>,
}

impl<'a> LayerStore<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        facts: &'a FactCache,
        cache_dir: &Path,
        ids: Ids,
        mtime: u64,
        compression: Compression,
        say: &'a (dyn Fn(&str) + Sync),
    ) -> Self {
        let folder = cache_dir.join("layers").join(owners(ids));
        let scratch = folder.join("scratch");
        Scratch::sweep(&scratch);
        sweep(&folder);
        let unpacking = Mutex::new(());
        Self { layout, facts, ids, compression, mtime, folder, scratch, unpacking, say, remotes: Vec::new() }
    }

    pub(super) fn scratch(&self) -> Result<Scratch, Failure> {
        Scratch::create(&self.scratch)
    }

    pub(super) fn made(&self, key: &Digest) -> PathBuf {
        self.folder.join(key.hex())
    }

    /// Whether the result of a step is here, as a folder or as a blob.
    pub(super) fn has(&self, key: &Digest) -> Result<bool, Failure> {
        Ok(self.made(key).is_dir() || self.packed(key)?.is_some())
    }

    fn packed_key(&self, key: &Digest) -> Digest {
        Key::new("packed")
            .field("step", key.as_bytes())
            .field("mtime", self.mtime.to_string())
            .field("compression", format!("{:?}", self.compression))
            .finish()
    }

    /// The blob of a step, if it was packed and is still there.
    pub(super) fn packed(&self, key: &Digest) -> Result<Option<PackedLayer>, Failure> {
        let Some(noted) = self.facts.get(&self.packed_key(key))? else { return Ok(None) };
        let Ok(layer) = serde_json::from_slice::<PackedLayer>(&noted) else { return Ok(None) };
        if self.layout.has(&layer.descriptor)? {
            return Ok(Some(layer));
        }
        if self.remote(&layer).is_none() {
            return Ok(None);
        }
        // Brought now: what a cache of others' has lost or damaged costs time, and no build.
        if let Err(failure) = self.bring(&layer) {
            self.facts.forget(&self.packed_key(key))?;
            (self.say)(&format!("  warning: a result is made again: {}", failure.sentence()));
            return Ok(None);
        }
        Ok(Some(layer))
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
    pub(super) fn bring(&self, layer: &PackedLayer) -> Result<(), Failure> {
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
        Ok(self.facts.put(&self.packed_key(key), &noted(layer))?)
    }

    /// Believes of a cache of somebody else's that the step with this key made this blob.
    pub(super) fn borrow(&self, key: &Digest, layer: &PackedLayer) {
        self.facts.lend(self.packed_key(key), noted(layer));
    }

    fn pack_delta(&self, key: &Digest, delta: &Delta) -> Result<PackedLayer, Failure> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (blob, layer) = pack_delta(delta, self.mtime, self.compression, threads, self.layout.ingest()?)?;
        blob.commit(Some((layer.descriptor.digest, layer.descriptor.size)))?;
        self.learn(key, &layer)?;
        Ok(layer)
    }

    pub(super) fn read_layer(&self, layer: &Layer, depth: Depth) -> Result<Delta, Failure> {
        match depth {
            Depth::Names => self.kept_names(layer),
            Depth::Content => Ok(read_upper(&self.folder_of(layer)?, self.ids, &self.owner_of(layer))?),
        }
    }

    /// Who owns what a layer says nothing of: whoever its command ran as.
    pub(super) fn owner_of(&self, layer: &Layer) -> User {
        let Layer::Made(key) = layer else { return User::default() };
        let noted = fs::read_to_string(self.made(key).join("user")).unwrap_or_default();
        let mut numbers = noted.split_ascii_whitespace().map_while(|number| number.parse().ok());
        let (uid, gid) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        User { uid, gid, groups: Vec::new() }
    }

    pub(super) fn keep_layer(&self, key: &Digest, delta: &Delta, form: Form) -> Result<(), Failure> {
        if form == Form::Blob {
            return self.pack_delta(key, delta).map(drop);
        }
        let scratch = self.scratch()?;
        write_upper(delta, &scratch.path().join("fs"), self.ids, Placing::Copy)?;
        put_in_place(&self.folder, scratch.path(), &self.made(key))
    }

    /// Keeps what a command left in `fs` of a scratch folder; says whether it is anything.
    pub(super) fn keep_left(&self, key: &Digest, scratch: &Scratch, user: &UserIds) -> Result<bool, Failure> {
        let left = scratch.path().join("fs");
        let is_empty =
            fs::read_dir(&left).map_err(|error| disk_failure("read", &left, &error))?.next().is_none();
        self.facts.forget(&self.packed_key(key))?;
        if is_empty {
            let kept = self.made(key);
            if kept.is_symlink() {
                kiln_disk::own::remove_file(&kept).map_err(|error| disk_failure("remove", &kept, &error))?;
            }
            return Ok(false);
        }
        let place = scratch.path().join("user");
        let text = format!("{} {}", user.uid, user.gid);
        let written = kiln_disk::create(&place, text.as_bytes(), kiln_disk::PRIVATE);
        written.map_err(|error| disk_failure("write", &place, &error))?;
        put_in_place(&self.folder, scratch.path(), &self.made(key))?;
        Ok(true)
    }

    /// Keeps what is put into `fs` of a scratch folder, as its owners are there.
    pub(super) fn keep_folder(&self, key: &Digest, scratch: &Scratch) -> Result<(), Failure> {
        put_in_place(&self.folder, scratch.path(), &self.made(key))
    }

    pub(super) fn pack_layer(&self, layer: &Layer) -> Result<PackedLayer, Failure> {
        match layer {
            Layer::Base(base) => Ok(base.packed().clone()),
            Layer::Made(key) => match self.packed(key)? {
                Some(packed) => Ok(packed),
                None => self.pack_delta(key, &self.read_layer(layer, Depth::Content)?),
            },
        }
    }
}

/// The folder of what has owners of this kind. Real owners are other ids on disk where other ids are to be had.
pub(super) fn owners(ids: Ids) -> String {
    match ids {
        Ids::One => "one".to_owned(),
        Ids::Many { first, .. } => format!("many-{first}"),
    }
}

fn noted(layer: &PackedLayer) -> Vec<u8> {
    serde_json::to_vec(layer).expect("a layer is texts and numbers")
}

pub(super) fn lost(key: &Digest) -> Failure {
    Failure::new("build.lost", kiln_finding::Class::Environment, format!("find the result of the step {key}"))
        .with_help("something removed it during the build; run the command again")
}
