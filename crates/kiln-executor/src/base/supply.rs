use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use kiln_base::{Fetch, FetchError, Item, Place};
use kiln_fetch::endpoints::{Archives, Npm};
use kiln_fetch::{Downloader, Error, Options, Want, join};
use kiln_finding::size;
use kiln_images::Machine;

use crate::base::BaseSettings;
use crate::progress::Progress;

/// How large one package may be.
const PACKAGE_MAX: u64 = 1 << 30;
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Downloads from where this machine's own clients do, unless kiln.toml or a flag says otherwise.
///
/// Where that is costs time to find out (npm may have to be asked), so it is found out when first needed.
pub struct Supply {
    project: PathBuf,
    settings: BaseSettings,
    cache_dir: PathBuf,
    offline: bool,
    note: Arc<dyn Fn(&str) + Send + Sync>,
    endpoints: OnceLock<Endpoints>,
    downloader: OnceLock<Downloader>,
}

struct Endpoints {
    archives: Archives,
    npm: Npm,
}

impl Supply {
    /// For the project in this folder, whose own settings of npm count, too.
    pub fn new(machine: &Machine, project: &Path, settings: &BaseSettings, progress: &dyn Progress) -> Self {
        Self {
            project: project.to_owned(),
            settings: settings.clone(),
            cache_dir: machine.cache_dir.clone(),
            offline: machine.offline,
            note: progress.notifier(),
            endpoints: OnceLock::new(),
            downloader: OnceLock::new(),
        }
    }

    /// What npm would use here.
    pub fn npm(&self) -> &Npm {
        &self.endpoints().npm
    }

    fn endpoints(&self) -> &Endpoints {
        self.endpoints.get_or_init(|| {
            let machine = kiln_fetch::Machine::here(&self.project);
            let mut archives = Archives::collect(&machine);
            let list = |url: &String| vec![url.trim_end_matches('/').to_owned()];
            if let Some(url) = &self.settings.archive {
                archives.main = list(url);
            }
            if let Some(url) = &self.settings.security_archive {
                archives.security = list(url);
            }
            let npm = Npm::collect_from(&machine, self.settings.registry.as_deref());
            Endpoints { archives, npm }
        })
    }

    fn downloader(&self) -> Result<&Downloader, Error> {
        if let Some(downloader) = self.downloader.get() {
            return Ok(downloader);
        }
        let npm = self.npm();
        let options = Options {
            offline: self.offline,
            ca_files: npm.cafile.iter().cloned().collect(),
            proxy: npm.proxy.clone(),
            credentials: npm.credentials.clone(),
            ..Options::new(&self.cache_dir)
        };
        let downloader = Downloader::new(options)?.on_progress(announce(Arc::clone(&self.note)));
        Ok(self.downloader.get_or_init(|| downloader))
    }

    /// Where `place` can be had. Offline nothing need be configured: what is here is found by its checksum.
    fn urls(&self, place: &Place) -> Result<Vec<String>, Error> {
        let Endpoints { archives, npm } = self.endpoints();
        let bases = match place {
            Place::Archive(_) => archives.main().map(<[_]>::to_vec),
            Place::Security(_) => archives.security().map(<[_]>::to_vec),
            Place::Npm(_) => npm.registry().map(|registry| vec![registry.to_owned()]),
        };
        match bases {
            Err(_) if self.offline => Ok(Vec::new()),
            bases => Ok(bases?.iter().map(|base| join(base, place.path())).collect()),
        }
    }

    fn want(&self, item: &Item) -> Result<Want, Error> {
        let urls = self.urls(&item.place)?;
        Ok(Want {
            name: item.name.clone(),
            urls,
            checksum: item.integrity,
            size: item.size,
            cap: item.size.unwrap_or(PACKAGE_MAX),
        })
    }
}

/// Shows how far a set of downloads is.
fn announce(note: Arc<dyn Fn(&str) + Send + Sync>) -> kiln_fetch::OnProgress {
    Box::new(move |now| {
        let of = if now.total_bytes > now.bytes {
            format!(" of {}", size(now.total_bytes))
        } else {
            String::new()
        };
        note(&format!("downloading {} of {} files, {}{of}", now.files, now.total_files, size(now.bytes)));
    })
}

impl Fetch for Supply {
    fn document(&self, place: &Place, cap: u64) -> Result<Vec<u8>, FetchError> {
        let accept = matches!(place, Place::Npm(_)).then_some(ABBREVIATED);
        Ok(self.downloader()?.document(&self.urls(place)?, accept, cap)?)
    }

    fn prepare(&self, items: &[Item]) -> Result<(), FetchError> {
        let wants = items.iter().map(|item| self.want(item)).collect::<Result<Vec<_>, _>>()?;
        self.downloader()?.files(&wants)?;
        Ok(())
    }

    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError> {
        Ok(self.downloader()?.read(&self.want(item)?)?)
    }
}
