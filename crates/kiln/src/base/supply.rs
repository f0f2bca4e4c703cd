use std::path::Path;

use kiln_base::{Fetch, FetchError, Integrity, Item, Place};
use kiln_fetch::endpoints::{Archives, Npm};
use kiln_fetch::{Checksum, Downloader, Error, Machine, Options, Want, join};

use crate::base::Settings;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// How large one package may be.
const PACKAGE_MAX: u64 = 1 << 30;
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Downloads from where this machine's own clients do, unless kiln.toml or a flag says otherwise.
pub(crate) struct Supply {
    downloader: Downloader,
    archives: Archives,
    npm: Npm,
    offline: bool,
}

impl Supply {
    pub(crate) fn new(context: &Context, project: &Path, settings: &Settings) -> Result<Self, Failure> {
        let machine = Machine::here(project);
        let mut archives = Archives::collect(&machine);
        let mut npm = Npm::collect(&machine);
        let list = |url: &String| vec![url.trim_end_matches('/').to_owned()];
        if let Some(url) = &settings.archive {
            archives.main = list(url);
        }
        if let Some(url) = &settings.security_archive {
            archives.security = list(url);
        }
        if let Some(url) = &settings.registry {
            npm.registry = Some(url.trim_end_matches('/').to_owned());
        }
        let options = Options {
            offline: context.offline,
            ca_files: npm.cafile.iter().cloned().collect(),
            proxy: npm.proxy.clone(),
            credentials: npm.credentials.clone(),
            ..Options::new(&context.cache_dir)
        };
        let mut downloader = Downloader::new(options)?;
        if !context.quiet {
            downloader = downloader.on_progress(announce());
        }
        Ok(Self { downloader, archives, npm, offline: context.offline })
    }

    /// Where `place` can be had. Offline nothing need be configured: what is here is found by its checksum.
    fn urls(&self, place: &Place) -> Result<Vec<String>, Error> {
        let bases = match place {
            Place::Archive(_) => self.archives.main().map(<[_]>::to_vec),
            Place::Security(_) => self.archives.security().map(<[_]>::to_vec),
            Place::Npm(_) => self.npm.registry().map(|registry| vec![registry.to_owned()]),
        };
        match bases {
            Err(_) if self.offline => Ok(Vec::new()),
            bases => Ok(bases?.iter().map(|base| join(base, place.path())).collect()),
        }
    }

    fn want(&self, item: &Item) -> Result<Want, Error> {
        let checksum = match item.integrity {
            Integrity::Sha256(bytes) => Checksum::Sha256(bytes),
            Integrity::Sha512(bytes) => Checksum::Sha512(bytes),
        };
        let urls = self.urls(&item.place)?;
        Ok(Want {
            name: item.name.clone(),
            urls,
            checksum,
            size: item.size,
            cap: item.size.unwrap_or(PACKAGE_MAX),
        })
    }
}

/// Says once per set of downloads what is coming.
fn announce() -> kiln_fetch::OnProgress {
    Box::new(|now| {
        if now.files == 0 && now.bytes <= 1 << 16 && now.total_files > 1 && now.bytes > 0 {
            static LAST: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
            if LAST.swap(now.total_files, std::sync::atomic::Ordering::Relaxed) != now.total_files {
                output::talk(&format!("downloading {} files", now.total_files));
            }
        }
    })
}

impl Fetch for Supply {
    fn document(&self, place: &Place, cap: u64) -> Result<Vec<u8>, FetchError> {
        let accept = matches!(place, Place::Npm(_)).then_some(ABBREVIATED);
        Ok(self.downloader.document(&self.urls(place)?, accept, cap)?)
    }

    fn prepare(&self, items: &[Item]) -> Result<(), FetchError> {
        let wants = items.iter().map(|item| self.want(item)).collect::<Result<Vec<_>, _>>()?;
        self.downloader.files(&wants)?;
        Ok(())
    }

    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError> {
        Ok(self.downloader.read(&self.want(item)?)?)
    }
}
