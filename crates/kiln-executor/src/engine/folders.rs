//! Layers as folders of the cache: unpacked once, and what they say of themselves.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use kiln_build::Key;
use kiln_build::engine::{BaseLayer, Layer};
use kiln_disk::{Dir, disk_failure};
use kiln_finding::Failure;
use kiln_image::{Compression, PackedLayer, Source, pack_delta};
use kiln_rootfs::{Content, Delta, Kind, LayerReader, Limits, RootPath, Tree, decompress};
use kiln_sandbox::{Placing, read_upper, write_upper};

use super::layer_store::{LayerStore, lost};
use super::results::{put_in_place, touch};
use crate::spool::Spool;

/// Files whose content is wanted although a layer is only looked at.
const ACCOUNTS: [&str; 2] = ["etc/passwd", "etc/group"];
const ACCOUNTS_MAX: u64 = 4 << 20;

/// How many files and folders may be unpacked together.
const ENTRIES_MAX: usize = 4_000_000;

/// Says what becomes of the bytes of a file, given its size.
type Keep<'a> = &'a mut dyn FnMut(u64, &mut dyn Read) -> io::Result<Content>;

impl LayerStore<'_> {
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
            Layer::Base(base) => vec![self.alone_folder(base.packed()), self.whole_folder(base)],
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
        let spool = Spool::new(Dir::create(&place).map_err(|error| disk_failure("create", &place, &error))?);
        let keep = &mut |size, bytes: &mut dyn Read| spool.keep(size, bytes);
        let delta = self.stream(&packed, keep)?;
        let (delta, folder) = match layer {
            Layer::Base(base) if stands_alone(&delta) => (delta, self.alone_folder(base.packed())),
            Layer::Base(base) => (self.whole(base, &delta, keep)?, self.whole_folder(base)),
            Layer::Made(key) => (delta, self.made(key)),
        };
        delta.holds_its_links().map_err(|error| unreadable(&packed, error.to_string()))?;
        write_upper(&delta, &scratch.path().join("fs"), self.ids, Placing::Move)?;
        kiln_sandbox::remove(&place)?;
        put_in_place(&self.folder, scratch.path(), &folder)?;
        Ok(folder.join("fs"))
    }

    /// A layer, read already, together with all below it, as one that hides whatever else is below.
    fn whole(&self, base: &BaseLayer, top: &Delta, keep: Keep<'_>) -> Result<Delta, Failure> {
        let mut lowest_first: Vec<PackedLayer> = base.below().map(|lower| lower.packed().clone()).collect();
        lowest_first.reverse();
        let mut tree = Tree::new();
        for packed in &lowest_first {
            put_over(&mut tree, packed, &self.stream(packed, keep)?)?;
        }
        put_over(&mut tree, base.packed(), top)?;
        Ok(Delta { tree, opaque: BTreeSet::from([RootPath::ROOT]), ..Delta::default() })
    }

    /// Reads a blob from end to end. `keep` says what becomes of the bytes of each file, given its size.
    fn stream(&self, packed: &PackedLayer, keep: Keep<'_>) -> Result<Delta, Failure> {
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
            return Err(disk_failure(
                "unpack the layer",
                Path::new(&packed.descriptor.digest.to_string()),
                &error,
            ));
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
    pub(super) fn kept_names(&self, layer: &Layer) -> Result<Delta, Failure> {
        let (folder, packed) = match layer {
            Layer::Base(base) => (self.alone_folder(base.packed()), Some(base.packed().clone())),
            Layer::Made(key) => (self.made(key), self.packed(key)?),
        };
        let kept = match (layer, fs::read_link(&folder)) {
            (Layer::Base(base), _) => {
                Key::new("what it says").field("layer", base.packed().diff_id.as_bytes())
            }
            (_, Ok(result)) => {
                Key::new("what it says").field("result", result.as_os_str().as_encoded_bytes())
            }
            (Layer::Made(key), Err(_)) => Key::new("what it says").field("made", key.as_bytes()),
        };
        let kept = kept.finish();
        if let Some(noted) = self.facts.get(&kept)?
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
        self.facts.put(&kept, &noted)?;
        Ok(delta)
    }

    /// Where a layer lies that is the same over whatever layers.
    fn alone_folder(&self, packed: &PackedLayer) -> PathBuf {
        let key = Key::new("alone").field("layer", packed.diff_id.as_bytes());
        self.folder.join(format!("base-{}", key.finish().hex()))
    }

    /// Where a layer lies together with all below it.
    fn whole_folder(&self, base: &BaseLayer) -> PathBuf {
        let start = Key::new("whole").field("layer", base.packed().diff_id.as_bytes());
        let key =
            base.below().fold(start, |key, lower| key.field("below", lower.packed().diff_id.as_bytes()));
        self.folder.join(format!("base-{}", key.finish().hex()))
    }
}

/// Changes what the layers below come to as a layer does.
fn put_over(tree: &mut Tree, packed: &PackedLayer, delta: &Delta) -> Result<(), Failure> {
    delta.apply(tree).map_err(|error| unreadable(packed, error.to_string()))?;
    if tree.len() > ENTRIES_MAX {
        let why = format!("it and those below it hold more than {ENTRIES_MAX} files and folders");
        return Err(unreadable(packed, why));
    }
    Ok(())
}

/// Whether a layer of a base holds the same whatever lies below it. Others are unpacked together with those: they need something of
/// theirs (the file of a hard link, a folder that they say nothing of), or take something away, which is then not written, and
/// neither are its marks.
fn stands_alone(delta: &Delta) -> bool {
    delta.holds_its_links().is_ok()
        && delta.implied.is_empty()
        && delta.removed.is_empty()
        && delta.opaque.is_empty()
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
            read.map_err(|error| disk_failure("read", Path::new(path.as_str()), &error))?;
        }
        *content = Content::Bytes(bytes.into());
    }
    Ok(delta)
}

fn unreadable(packed: &PackedLayer, cause: String) -> Failure {
    let what = format!("read the layer {}", packed.descriptor.digest);
    Failure::new("build.layer", kiln_finding::Class::Content, what).with_cause(cause)
}
