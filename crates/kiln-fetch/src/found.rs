use crate::download::Downloader;
use crate::error::{Error, ErrorKind};

impl Downloader {
    /// The bytes at `url`, at most `cap` of them; `None` where the server says that there is nothing. Nothing is kept.
    pub fn found(&self, url: &str, cap: u64) -> Result<Option<Vec<u8>>, Error> {
        if self.options.offline {
            return Err(ErrorKind::Offline { missing: vec![crate::url::shown(url)] }.into());
        }
        match self.retry(|| self.read_document(url, None, cap)) {
            Ok(bytes) => Ok(Some(bytes)),
            // Storage services say 403 for what is not there.
            Err(error) if matches!(error.kind(), ErrorKind::Status { status: 403 | 404 | 410, .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
