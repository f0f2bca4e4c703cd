use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cache::{Cache, Partial};
use crate::client::{Answer, Client};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::progress::{Meter, OnProgress};
use crate::url;
use kiln_text::{Checksum, Hasher};

/// A file that is wanted, by its checksum.
#[derive(Clone, Debug)]
pub struct Want {
    /// How people know it.
    pub name: String,
    /// Where it can be had, the preferred place first.
    pub urls: Vec<String>,
    /// What it must be.
    pub checksum: Checksum,
    /// Its size, where that is known.
    pub size: Option<u64>,
    /// How large it may be.
    pub cap: u64,
}

/// Brings files into the cache.
pub struct Downloader {
    pub(crate) client: Client,
    pub(crate) cache: Cache,
    pub(crate) options: Options,
    on_progress: Option<OnProgress>,
}

impl Downloader {
    /// A downloader; no server is asked yet.
    pub fn new(options: Options) -> Result<Self, Error> {
        let cache = Cache::new(&options.cache_dir);
        Ok(Self { client: Client::new(&options)?, cache, options, on_progress: None })
    }

    /// Calls `report` whenever something has arrived.
    pub fn on_progress(mut self, report: OnProgress) -> Self {
        self.on_progress = Some(report);
        self
    }

    /// Where each of `wants` lies on this machine, in their order, after downloading what is missing.
    pub fn files(&self, wants: &[Want]) -> Result<Vec<PathBuf>, Error> {
        let mut paths = Vec::with_capacity(wants.len());
        for want in wants {
            paths.push(self.cache.find(&want.checksum)?);
        }
        let missing: Vec<&Want> =
            wants.iter().zip(&paths).filter(|(_, path)| path.is_none()).map(|(w, _)| w).collect();
        if !missing.is_empty() {
            self.download_all(&missing)?;
        }
        Ok(wants.iter().map(|want| self.cache.path(&want.checksum)).collect())
    }

    /// The bytes of `want`, which is downloaded if it is missing.
    pub fn read(&self, want: &Want) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.cache.read(&want.checksum)? {
            return Ok(bytes);
        }
        self.files(std::slice::from_ref(want))?;
        let lost = || ErrorKind::Nowhere { name: want.name.clone() }.into();
        self.cache.read(&want.checksum)?.ok_or_else(lost)
    }

    fn download_all(&self, missing: &[&Want]) -> Result<(), Error> {
        if self.options.offline {
            let line = |want: &&Want| match want.urls.first() {
                Some(url) => format!("{} ({})", want.name, url::shown(url)),
                None => want.name.clone(),
            };
            return Err(ErrorKind::Offline { missing: missing.iter().map(line).collect() }.into());
        }
        let total = missing.iter().filter_map(|want| want.size).sum();
        let meter = Meter::new(total, missing.len(), self.on_progress.as_ref());
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let lock = || failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.clamp(1, missing.len()) {
                scope.spawn(|| {
                    while lock().is_none() {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(want) = missing.get(index) else { return };
                        if let Err(error) = self.download(want, &meter) {
                            let mut failure = lock();
                            if failure.as_ref().is_none_or(|(first, _)| index < *first) {
                                *failure = Some((index, error));
                            }
                        }
                    }
                });
            }
        });
        failure
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .map_or(Ok(()), |(_, e)| Err(e))
    }

    /// Tries every address in turn; the error is the last address's.
    fn download(&self, want: &Want, meter: &Meter<'_>) -> Result<(), Error> {
        let mut partial = self.cache.partial(&want.checksum)?;
        let mut failure = ErrorKind::Nowhere { name: want.name.clone() }.into();
        for url in &want.urls {
            match self.retry(|| fetch(&self.client, url, want, &mut partial, meter)) {
                Ok(()) => {
                    self.cache.keep(partial, &want.checksum)?;
                    meter.file();
                    return Ok(());
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Does `work` again, after longer and longer pauses, while its errors are of the passing kind.
    pub(crate) fn retry<T>(&self, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut tries = self.options.retry.tries();
        loop {
            match work() {
                Err(error) if !tries.is_last() && error.is_transient(&self.options.retry) => {
                    if !tries.wait_until(error.retry_after(), self.options.until) {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    /// The folder that holds `downloads`.
    pub fn cache_dir(&self) -> &Path {
        &self.options.cache_dir
    }
}

/// One attempt. What has arrived before is asked for no more; what is wrong is forgotten.
fn fetch(
    client: &Client,
    url: &str,
    want: &Want,
    partial: &mut Partial,
    meter: &Meter<'_>,
) -> Result<(), Error> {
    let mut arrived = Arrived { hasher: want.checksum.algorithm().hasher(), bytes: 0 };
    arrived.bytes = partial.resume(&mut arrived.hasher)?;
    if arrived.bytes > 0 && arrived.hasher.clone().finish() == want.checksum {
        return Ok(());
    }
    if arrived.bytes >= want.size.unwrap_or(want.cap) {
        arrived.forget(want, partial)?;
    }
    let answer = match client.get(url, arrived.bytes, None) {
        Err(error) if arrived.bytes > 0 && error.is_about_range() => {
            arrived.forget(want, partial)?;
            client.get(url, 0, None)?
        }
        other => other?,
    };
    if answer.offset != arrived.bytes {
        arrived.forget(want, partial)?;
    }
    let before = arrived.bytes;
    arrived.receive(url, want, answer, partial, meter)?;
    let actual = arrived.hasher.finish();
    if actual == want.checksum {
        return Ok(());
    }
    partial.clear()?;
    meter.lost(arrived.bytes - before);
    if before > 0 {
        return fetch(client, url, want, partial, meter);
    }
    Err(ErrorKind::Mismatch { url: url::shown(url), expected: want.checksum, actual }.into())
}

/// What has arrived of a file.
struct Arrived {
    hasher: Hasher,
    bytes: u64,
}

impl Arrived {
    fn forget(&mut self, want: &Want, partial: &mut Partial) -> Result<(), Error> {
        *self = Self { hasher: want.checksum.algorithm().hasher(), bytes: 0 };
        partial.clear()
    }

    /// Takes in a whole answer; one that ends early is an error that may pass.
    fn receive(
        &mut self,
        url: &str,
        want: &Want,
        answer: Answer,
        partial: &mut Partial,
        meter: &Meter<'_>,
    ) -> Result<(), Error> {
        let before = self.bytes;
        let mut body = answer.body;
        let mut buffer = vec![0; 1 << 16];
        let broken = |received, source| ErrorKind::Broken { url: url::shown(url), received, source };
        loop {
            let count = body.read(&mut buffer).map_err(|source| broken(self.bytes, source))?;
            if count == 0 {
                break;
            }
            self.bytes += count as u64;
            if self.bytes > want.cap {
                partial.clear()?;
                return Err(ErrorKind::TooLarge { url: url::shown(url), cap: want.cap }.into());
            }
            self.hasher.update(&buffer[..count]);
            partial.append(&buffer[..count])?;
            meter.bytes(count as u64);
        }
        match answer.length {
            Some(length) if self.bytes - before < length => {
                Err(broken(self.bytes, std::io::ErrorKind::UnexpectedEof.into()).into())
            }
            _ => Ok(()),
        }
    }
}
