use std::io::Read;

use crate::download::Downloader;
use crate::error::{Error, ErrorKind};
use crate::url;

impl Downloader {
    /// The bytes at the first of `urls` that answers, at most `cap` of them: a document that changes.
    ///
    /// Offline it is the version that was seen last.
    pub fn document(&self, urls: &[String], accept: Option<&str>, cap: u64) -> Result<Vec<u8>, Error> {
        if self.options.offline {
            return self.kept_document(urls);
        }
        let mut failure = ErrorKind::Nowhere { name: "a document".to_owned() }.into();
        for url in urls {
            match self.retry(|| self.read_document(url, accept, cap)) {
                Ok(bytes) => {
                    self.cache.keep_document(url, &bytes)?;
                    return Ok(bytes);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    pub(crate) fn read_document(&self, url: &str, accept: Option<&str>, cap: u64) -> Result<Vec<u8>, Error> {
        let answer = self.client.get(url, 0, accept)?;
        let mut bytes = Vec::new();
        answer.body.take(cap + 1).read_to_end(&mut bytes).map_err(|source| ErrorKind::Broken {
            url: url::shown(url),
            received: 0,
            source,
        })?;
        if bytes.len() as u64 > cap {
            return Err(ErrorKind::TooLarge { url: url::shown(url), cap }.into());
        }
        Ok(bytes)
    }

    fn kept_document(&self, urls: &[String]) -> Result<Vec<u8>, Error> {
        let kept = urls.iter().find_map(|url| std::fs::read(self.cache.document(url)).ok());
        kept.ok_or_else(|| {
            ErrorKind::Offline { missing: urls.iter().map(|url| url::shown(url)).collect() }.into()
        })
    }
}
