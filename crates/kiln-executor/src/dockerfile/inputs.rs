//! What a Dockerfile takes from this machine and from registries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kiln_app::BuildContext;
use kiln_base::{Lock, Variant};
use kiln_build::Key;
use kiln_build::dockerfile::{Inputs, Remote, is_repository};
use kiln_build::engine::Base;
use kiln_finding::{Class, Failure, PortError};
use kiln_image::{CopyOptions, Image, PackedLayer, Sink, Source, copy_with};
use kiln_images::{Destination, Located, Machine, Place, Prefer, bring_tags, for_arch, unforced};
use kiln_oci::{Arch, Descriptor, Reference, media_type};
use kiln_proof::Gate;
use kiln_rootfs::{Content, RootPath, Tree};
use kiln_store::{Layout, StepCache};

use super::{archive, git, remote};
use crate::base::Supply;

/// Contexts, images, downloads.
pub(super) struct World<'a> {
    pub(super) machine: &'a Machine,
    pub(super) layout: &'a Layout,
    pub(super) main: BuildContext,
    pub(super) named: BTreeMap<String, BuildContext>,
    /// Where files of archives and downloads lie until the build is over.
    pub(super) spool: PathBuf,
    pub(super) next: AtomicU64,
    /// What is under way.
    pub(super) note: &'a (dyn Fn(&str) + Sync),
    /// What is to be read afterwards, too.
    pub(super) say: &'a (dyn Fn(&str) + Sync),
    pub(super) supply: &'a Supply,
    /// The folder of the app, whose `kiln.lock` pins kiln's bases.
    pub(super) folder: &'a Path,
    /// How long one download may take.
    pub(super) limit: Duration,
    /// Whom images must be signed by.
    pub(super) gate: Gate<'a>,
    /// The lock of kiln's bases, once it is known.
    pub(super) bases: Mutex<Option<Lock>>,
}

impl World<'_> {
    fn spool(&self) -> PathBuf {
        self.spool.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Where `[trust]` asks something, the registry of a name is asked what the name stands for; what has a digest is the same everywhere.
    fn find(&self, name: &str) -> Result<Located, Failure> {
        let reference = unforced(name).parse::<Reference>().ok().filter(|_| !name.starts_with("oci:"));
        let is_pinned = reference.as_ref().is_some_and(Reference::is_pinned);
        let prefer = if self.gate.is_open() || is_pinned { Prefer::Here } else { Prefer::Registry };
        match Located::find(self.machine, name, prefer) {
            Err(_) if reference.is_some_and(|name| name.host().is_none()) && !self.machine.offline => {
                (self.note)(&format!("looking for {name} in its registry"));
                let mut reference = kiln_images::read_reference(name)?;
                reference.name = reference.normal_name();
                Located::remote(self.machine, &reference)
                    .map_err(|failure| Failure { help: Some(absent_help(name)), ..failure })
            }
            found => found,
        }
    }

    /// The image that a name stands for, and where it lies, if it is signed by whom it must be. Signatures may lie in the registry of an
    /// image that is here.
    fn admitted(&self, name: &str, arch: Arch) -> Result<(Place, Descriptor), Failure> {
        let found = self.find(name)?;
        let is_here = matches!(&found.place, Place::Layout(_));
        match (self.admit(name, found, arch), unforced(name).parse::<Reference>()) {
            (Err(refusal), Ok(reference))
                if is_here
                    && reference.host().is_some()
                    && unforced(name) == name
                    && !self.machine.offline =>
            {
                let Ok(remote) = Located::remote(self.machine, &reference) else { return Err(refusal) };
                self.admit(name, remote, arch)
            }
            (result, _) => result,
        }
    }

    fn admit(&self, name: &str, found: Located, arch: Arch) -> Result<(Place, Descriptor), Failure> {
        let Located { place, descriptor: root, note, .. } = found;
        let descriptor = for_arch(&place, &root, arch, name)?;
        let signed = self.gate.admit(name, &place, &root, &descriptor)?;
        for said in note.into_iter().chain(signed) {
            (self.say)(&format!("  {said}"));
        }
        Ok((place, descriptor))
    }

    fn base_image(&self, name: &str, arch: Arch) -> Result<Base, Failure> {
        if let Some(own) = OwnBase::parse(name) {
            return self.own_base(name, &own, arch);
        }
        let (place, descriptor) = self.admitted(name, arch)?;
        let is_here = matches!(&place, Place::Layout(layout) if layout.folder() == self.layout.folder());
        let is_known = || {
            let is_listed = self.layout.resolve(&descriptor.digest.to_string())?.is_some();
            Ok::<_, Failure>(is_listed && self.is_whole(&descriptor)?)
        };
        if !is_here && !is_known()? {
            (self.note)(&format!("fetching {name}"));
            self.fetch(&place, &descriptor)?;
        }
        self.as_base(name, &descriptor, arch)
    }

    /// Brings an image into the store. Signatures come along where somebody asks for them, so that it can be asked again when its
    /// registry is away; that they cannot be had costs nobody the image, which was judged already.
    fn fetch(&self, place: &Place, image: &Descriptor) -> Result<(), Failure> {
        let options = CopyOptions { referrers: !self.gate.is_open(), ..CopyOptions::default() };
        if options.referrers {
            bring_tags(place, image, &Destination::Layout(self.layout.clone()), false)?;
            if copy_with(place, self.layout, image, None, &options).is_ok() {
                return Ok(());
            }
        }
        copy_with(place, self.layout, image, None, &CopyOptions::default())?;
        Ok(())
    }

    /// Whether an image is in the store with all that it is made of: what was damaged there has been put aside.
    fn is_whole(&self, manifest: &Descriptor) -> Result<bool, Failure> {
        if !self.layout.has(manifest)? {
            return Ok(false);
        }
        let Ok(Image { manifest: image, .. }) = Image::read(self.layout, manifest) else { return Ok(false) };
        for content in image.layers.iter().chain([&image.config]) {
            if !self.layout.has(content)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A base of kiln's own, composed where it is not in the store.
    fn own_base(&self, name: &str, own: &OwnBase, arch: Arch) -> Result<Base, Failure> {
        let mut kept = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = match kept.take() {
            Some(lock) => lock,
            None => own_lock(self.folder, own, arch, self.supply)?,
        };
        if lock.node != own.node || lock.distribution.to_string() != own.distribution {
            let what =
                format!("use {name}: kiln.lock pins Node {} on Debian {}", lock.node, lock.distribution);
            return Err(Failure::new("build.base", Class::Config, what)
                .with_help("use the base that is pinned, or delete kiln.lock to pin another"));
        }
        let key = Key::new("own base")
            .field("lock", lock.render())
            .field("variant", format!("{:?}", own.variant))
            .field("arch", arch.as_str())
            .field("kiln", env!("CARGO_PKG_VERSION"))
            .finish();
        let steps = StepCache::create(&self.machine.cache_dir.join("steps"))?;
        let noted = steps.get(&key)?.and_then(|noted| serde_json::from_slice::<Descriptor>(&noted).ok());
        let known = noted.filter(|noted| self.is_whole(noted).unwrap_or(false));
        let descriptor = if let Some(descriptor) = known {
            descriptor
        } else {
            (self.note)(&format!("composing {name}"));
            let base = kiln_base::compose(&lock, arch, own.variant, self.supply)?;
            let descriptor = crate::base::write(&base, &lock, self.layout, None)?.descriptor();
            let noted = serde_json::to_vec(&descriptor).expect("a descriptor is texts and numbers");
            steps.put(&key, &noted)?;
            descriptor
        };
        *kept = Some(lock);
        drop(kept);
        self.as_base(name, &descriptor, arch)
    }

    fn as_base(&self, name: &str, descriptor: &Descriptor, arch: Arch) -> Result<Base, Failure> {
        let image = Image::read(self.layout, descriptor)?;
        let config = image.config;
        if config.architecture != arch.as_str() {
            let what =
                format!("use {name}: it is an image for {}, not for {}", config.architecture, arch.as_str());
            return Err(Failure::new("build.platform", Class::Config, what)
                .with_help("choose another image, or build for its platform with --platform"));
        }
        let layers =
            image.manifest.layers.iter().zip(&config.rootfs.diff_ids).map(|(layer, diff_id)| PackedLayer {
                descriptor: Descriptor {
                    media_type: media_type::oci_layer(&layer.media_type),
                    ..layer.clone()
                },
                diff_id: *diff_id,
                tar_size: 0,
            });
        Ok(Base { digest: descriptor.digest, layers: layers.collect(), config })
    }

    fn context_files(&self, context: Option<&str>, paths: &[RootPath]) -> Result<Tree, Failure> {
        match context {
            None => self.main.files(paths),
            Some(name) => match self.named.get(name) {
                Some(context) => context.files(paths),
                None => Err(Failure::usage(format!("find the build context `{name}`"))),
            },
        }
    }
}

/// A base of kiln's own, by the name that kiln gives it: `kiln/node:24-debian13-dev`.
struct OwnBase {
    node: u32,
    distribution: String,
    variant: Variant,
}

impl OwnBase {
    fn parse(name: &str) -> Option<Self> {
        let (node, rest) = name.strip_prefix("kiln/node:")?.split_once("-debian")?;
        let (distribution, variant) = match rest.split_once('-') {
            None => (rest, Variant::Runtime),
            Some((distribution, "dev")) => (distribution, Variant::Dev),
            Some((distribution, "dev-native")) => (distribution, Variant::Native),
            Some(_) => return None,
        };
        Some(Self { node: node.parse().ok()?, distribution: distribution.to_owned(), variant })
    }
}

/// The lock of the app; where there is none, the newest of everything.
fn own_lock(folder: &Path, own: &OwnBase, arch: Arch, supply: &Supply) -> Result<Lock, Failure> {
    let path = folder.join("kiln.lock");
    if path.is_file() {
        let text = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX)
            .map_err(|error| kiln_disk::disk_failure("read", &path, &error))?;
        return Ok(Lock::read(&text)?);
    }
    let mut request =
        kiln_base::Request { node: own.node, builder: true, ..kiln_base::Request::new(vec![arch]) };
    request.distribution = own.distribution.parse().map_err(Failure::usage)?;
    let lock = kiln_base::resolve(&request, supply, kiln_images::clock::now())?;
    // A folder that cannot be written to is no reason not to build from it.
    drop(kiln_store::replace_file(&path, lock.render().as_bytes()));
    Ok(lock)
}

fn absent_help(name: &str) -> String {
    format!(
        "pull it first (`kiln pull {name}`), name an OCI layout (oci:DIR:TAG), or use --build-context {name}=…"
    )
}

impl Inputs for World<'_> {
    type Error = PortError;

    fn base(&self, name: &str, arch: Arch) -> Result<Base, PortError> {
        self.base_image(name, arch).map_err(PortError::new)
    }

    fn files(&self, context: Option<&str>, paths: &[RootPath]) -> Result<Tree, PortError> {
        self.context_files(context, paths).map_err(PortError::new)
    }

    fn remote(&self, wanted: &Remote<'_>) -> Result<Tree, PortError> {
        (self.note)(&format!("fetching {}", wanted.address));
        let plain = wanted.address.split(['#', '?']).next().unwrap_or_default();
        let is_file = wanted.address.starts_with("http") && !is_repository(plain);
        let spool = self.spool();
        let fetched = if is_file {
            remote::file(wanted, self.machine, &spool, self.limit)
        } else {
            git::fetch(wanted, &spool, self.limit)
        };
        fetched.map_err(PortError::new)
    }

    fn unpack(&self, file: &Content) -> Result<Option<Tree>, PortError> {
        archive::unpack(file, &self.spool()).map_err(PortError::new)
    }
}
