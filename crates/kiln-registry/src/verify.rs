use std::io::Read;

use kiln_fetch::http::BodyReader;
use kiln_oci::Digest;

use crate::error::{Error, ErrorKind};

/// The whole of a small body, which may have at most `cap` bytes.
pub(crate) fn read_capped(
    mut body: BodyReader,
    what: &'static str,
    url: &str,
    cap: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let broken = |received: usize, source| ErrorKind::Broken {
            what: what.to_owned(),
            url: url.to_owned(),
            received: received as u64,
            source,
        };
        let count = body.read(&mut buffer).map_err(|source| broken(bytes.len(), source))?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() as u64 > cap {
            return Err(ErrorKind::TooLarge { what, url: url.to_owned(), cap }.into());
        }
    }
}

/// Fails unless `bytes` are what was asked for.
pub(crate) fn check(bytes: &[u8], promised: &Digest, url: &str) -> Result<(), Error> {
    let actual = Digest::of(bytes);
    if actual == *promised {
        return Ok(());
    }
    Err(ErrorKind::Mismatch {
        url: url.to_owned(),
        promised: *promised,
        got: actual,
        size: bytes.len() as u64,
    }
    .into())
}
