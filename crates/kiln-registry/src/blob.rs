use std::io::{self, Read};

use kiln_fetch::http::header::{CONTENT_RANGE, RANGE};
use kiln_fetch::http::{self, BodyReader, Tries};
use kiln_oci::{Descriptor, Hasher};

use crate::error::{Error, ErrorKind};
use crate::header::text;
use crate::repository::Repository;
use crate::sender::Request;

/// A blob on its way. It is asked for when it is first read, asked for again from where it broke off, and ends in
/// an error where it is not what its digest says.
pub(crate) struct BlobReader<'a> {
    repository: &'a Repository,
    content: Descriptor,
    /// `None` where somebody else checks.
    hasher: Option<Hasher>,
    ended: bool,
    received: u64,
    body: Option<Body>,
    /// Which place is asked: first the mirrors.
    place: usize,
    tries: Tries<'a>,
}

struct Body {
    reader: BodyReader,
    url: String,
}

impl<'a> BlobReader<'a> {
    pub(crate) fn new(repository: &'a Repository, content: &Descriptor) -> Self {
        Self { hasher: Some(Hasher::default()), ..Self::unchecked(repository, content) }
    }

    /// One that looks at the size only.
    pub(crate) fn unchecked(repository: &'a Repository, content: &Descriptor) -> Self {
        let tries = repository.transport.sender.options.retry.tries();
        let content = content.clone();
        Self { repository, content, hasher: None, ended: false, received: 0, body: None, place: 0, tries }
    }

    /// Asks for what has not arrived, at the place it is asked at, or the next.
    fn connect(&mut self) -> Result<Body, Error> {
        let places: Vec<_> = self.repository.places().collect();
        loop {
            let is_last = self.place + 1 >= places.len();
            match self.ask(places[self.place]) {
                Err(_) if !is_last => self.place += 1,
                done => return done,
            }
        }
    }

    fn ask(&self, endpoint: &crate::endpoint::Endpoint) -> Result<Body, Error> {
        let transport = &self.repository.transport;
        let scheme = transport.scheme(endpoint)?;
        let url = endpoint.url(scheme, &format!("blobs/{}", self.content.digest))?;
        let shown = url.shown();
        let mut request = Request::get("read the blob", url);
        if self.received > 0 {
            request = request.with(RANGE, format!("bytes={}-", self.received));
        }
        let (response, from) = transport.follow(endpoint, &endpoint.scope("pull"), request)?;
        let offset = match response.status().as_u16() {
            200 => 0,
            206 => {
                let range = text(&response, CONTENT_RANGE);
                let starts = range
                    .and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
                starts.filter(|starts| *starts == self.received && self.received > 0).ok_or_else(|| {
                    let what = "read the blob".to_owned();
                    ErrorKind::Header { what, url: shown.clone(), header: "a fitting Content-Range" }
                })?
            }
            _ => return Err(transport.sender.status(&Request::get("read the blob", from), response)),
        };
        let reader = http::body(response, transport.sender.pace());
        let mut body = Body { reader, url: shown };
        // A server that cannot send the rest sends everything.
        let again = self.received - offset;
        let skipped = io::copy(&mut body.reader.by_ref().take(again), &mut io::sink());
        match skipped {
            Ok(skipped) if skipped == again => Ok(body),
            Ok(received) => Err(body.broken(received, io::ErrorKind::UnexpectedEof.into()).into()),
            Err(source) => Err(body.broken(0, source).into()),
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => self.connect()?,
            };
            let read = body.reader.read(buffer).and_then(|count| {
                let is_short = count == 0 && self.received < self.content.size;
                if is_short { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
            });
            match read {
                Ok(count) => {
                    let result = self.take_in(&buffer[..count], &body.url);
                    self.body = Some(body);
                    return result;
                }
                Err(source) => {
                    let until = self.repository.transport.sender.until();
                    if self.tries.is_last() || !self.tries.wait_until(None, until) {
                        return Err(body.broken(self.received, source).into());
                    }
                }
            }
        }
    }

    fn take_in(&mut self, bytes: &[u8], url: &str) -> Result<usize, Error> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.received += bytes.len() as u64;
        let (promised, size) = (self.content.digest, self.received);
        if !bytes.is_empty() && self.received <= self.content.size {
            return Ok(bytes.len());
        }
        self.ended = true;
        let got = self.hasher.take().map_or(promised, |hasher| hasher.finish().0);
        if size == self.content.size && got == promised {
            return Ok(0);
        }
        Err(ErrorKind::Mismatch { url: url.to_owned(), promised, got, size }.into())
    }
}

impl Body {
    fn broken(&self, received: u64, source: io::Error) -> ErrorKind {
        ErrorKind::Broken { what: "read the blob".to_owned(), url: self.url.clone(), received, source }
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        self.next(buffer).map_err(|error| {
            // After an error there is nothing more to come.
            self.ended = true;
            io::Error::other(error)
        })
    }
}
