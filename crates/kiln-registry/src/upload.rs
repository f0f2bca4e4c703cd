//! Blobs on their way to a registry. Source: distribution-spec, "Pushing blobs".

use std::io::{self, Read};

use kiln_fetch::Url;
use kiln_fetch::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use kiln_fetch::http::{Method, Payload, Response};
use kiln_oci::{Descriptor, Hasher};

use crate::document::accept;
use crate::endpoint::query_value;
use crate::error::{Error, ErrorKind};
use crate::header::text;
use crate::repository::Repository;
use crate::sender::Request;

/// What is no larger is held in memory and can be sent again; the rest is streamed.
const SMALL: u64 = 1 << 20;
/// The largest part that is held in memory, whatever the registry asks for.
const CHUNK_MAX: u64 = 64 << 20;
/// How often one part is sent.
const RESUMES: usize = 5;
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

impl Repository {
    /// Whether the registry says that it holds the content.
    pub(crate) fn head(&self, content: &Descriptor, is_document: bool) -> Result<bool, Error> {
        let scheme = self.transport.scheme(&self.main)?;
        let kind = if is_document { "manifests" } else { "blobs" };
        let url = self.main.url(scheme, &format!("{kind}/{}", content.digest))?;
        let mut request = Request::head("look for the content", url.clone());
        if is_document {
            request = request.accept(&accept());
        }
        let (response, _) = self.transport.follow(&self.main, &self.push_scopes(), request)?;
        match response.status().as_u16() {
            200 => {
                let length = text(&response, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
                Ok(length.is_none_or(|length| length == content.size))
            }
            404 | 405 => Ok(false),
            _ => Err(self.transport.sender.status(&Request::head("look for the content", url), response)),
        }
    }

    /// Sends a blob, unless the registry can take it over from another of its repositories.
    pub(crate) fn upload(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Error> {
        let mut session = None;
        for from in &self.mount_from {
            match self.start(Some((content, from)))? {
                Start::Mounted => return Ok(()),
                Start::Session(url, least) => session = Some((url, least)),
            }
        }
        let (url, least) = match session {
            Some(session) => session,
            None => match self.start(None)? {
                Start::Session(url, least) => (url, least),
                Start::Mounted => return Ok(()),
            },
        };
        let mut input = Input { bytes, hasher: Hasher::default(), left: content.size, failure: None };
        let sent = match self.chunk.map(|chunk| chunk.max(least)) {
            Some(chunk) if chunk <= CHUNK_MAX && chunk < content.size => {
                self.send_chunks(content, &mut input, url, chunk.max(1))
            }
            _ if content.size <= SMALL => self.send_small(content, &mut input, url),
            _ => self.send_stream(content, &mut input, url),
        };
        if let Some(source) = input.failure.take() {
            return Err(ErrorKind::Input { digest: content.digest, source }.into());
        }
        let is_read = input.left == 0;
        let (got, size) = input.hasher.finish();
        // Whatever the registry says of it: it is not what it should be. One that took it in does not check.
        if is_read && (got, size) != (content.digest, content.size) {
            let url = format!("{}@{}", self.name(), content.digest);
            return Err(ErrorKind::Mismatch { url, promised: content.digest, got, size }.into());
        }
        sent.map(drop)
    }

    /// Opens an upload, or has the blob taken over from another repository.
    fn start(&self, mount: Option<(&Descriptor, &str)>) -> Result<Start, Error> {
        let scheme = self.transport.scheme(&self.main)?;
        let path = match mount {
            Some((content, from)) => {
                format!("blobs/uploads/?mount={}&from={}", content.digest, query_value(from))
            }
            None => "blobs/uploads/".to_owned(),
        };
        let url = self.main.url(scheme, &path)?;
        let mut request = Request::post("start an upload", url, Payload::None);
        let response = self.transport.send(&self.main, &self.push_scopes(), &mut request)?;
        match response.status().as_u16() {
            201 if mount.is_some() => Ok(Start::Mounted),
            202 => {
                let least = text(&response, CHUNK_MIN_LENGTH).and_then(|least| least.parse().ok());
                Ok(Start::Session(location(&request, &response)?, least.unwrap_or(0)))
            }
            _ => Err(self.transport.sender.status(&request, response)),
        }
    }

    /// In one request that can be repeated.
    fn send_small(&self, content: &Descriptor, input: &mut Input<'_>, url: Url) -> Result<String, Error> {
        let mut bytes = Vec::new();
        let read = input.read_to_end(&mut bytes);
        read.map_err(|source| ErrorKind::Input { digest: content.digest, source })?;
        let payload = Payload::Bytes { bytes: &bytes, kind: "application/octet-stream" };
        self.finish(content, url, payload)
    }

    /// In one request, straight through.
    fn send_stream(&self, content: &Descriptor, input: &mut Input<'_>, url: Url) -> Result<String, Error> {
        let payload =
            Payload::Stream { bytes: input, kind: "application/octet-stream", size: Some(content.size) };
        self.finish(content, url, payload)
    }

    fn finish(&self, content: &Descriptor, url: Url, payload: Payload<'_>) -> Result<String, Error> {
        let joint = if url.text.contains('?') { '&' } else { '?' };
        let url = crate::endpoint::address(&format!("{}{joint}digest={}", url.text, content.digest))?;
        let shown = url.shown();
        let mut request = Request::new("send the blob", Method::PUT, url, payload);
        let response = self.transport.send(&self.main, &self.push_scopes(), &mut request)?;
        match response.status().as_u16() {
            201 | 204 => Ok(shown),
            _ => Err(self.transport.sender.status(&request, response)),
        }
    }

    /// In parts, each of which is sent again from where the registry says it is.
    fn send_chunks(
        &self,
        content: &Descriptor,
        input: &mut Input<'_>,
        mut url: Url,
        chunk: u64,
    ) -> Result<String, Error> {
        let mut start = 0;
        while start < content.size {
            let mut part = Vec::new();
            let read = input.by_ref().take(chunk).read_to_end(&mut part);
            read.map_err(|source| ErrorKind::Input { digest: content.digest, source })?;
            url = self.send_part(url, start, &part)?;
            start += part.len() as u64;
        }
        // The checks at the end of the input.
        let end = input.read(&mut [0]);
        end.map_err(|source| ErrorKind::Input { digest: content.digest, source })?;
        self.finish(content, url, Payload::None)
    }

    /// Sends the bytes from `start` on; yields where the next go.
    fn send_part(&self, mut url: Url, start: u64, part: &[u8]) -> Result<Url, Error> {
        let mut done = 0;
        let mut resumes = 0;
        while done < part.len() {
            let (from, rest) = (start + done as u64, &part[done..]);
            let range = format!("{from}-{}", from + rest.len() as u64 - 1);
            let payload = Payload::Bytes { bytes: rest, kind: "application/octet-stream" };
            let mut request = Request::new("send a part of the blob", Method::PATCH, url.clone(), payload)
                .with(CONTENT_RANGE, range);
            let sent = self.transport.send(&self.main, &self.push_scopes(), &mut request);
            match sent {
                Ok(response) if response.status().as_u16() == 202 => {
                    url = location(&request, &response)?;
                    done = part.len();
                }
                Ok(response) if response.status().as_u16() != 416 || resumes >= RESUMES => {
                    return Err(self.transport.sender.status(&request, response));
                }
                Err(error) if !error.is_transient() || resumes >= RESUMES => return Err(error),
                Ok(_) | Err(_) => {
                    resumes += 1;
                    let (next, arrived) = self.progress(url)?;
                    url = next;
                    let within = start..=start + part.len() as u64;
                    if !within.contains(&arrived) {
                        let (what, url) = ("resume an upload".to_owned(), url.shown());
                        return Err(ErrorKind::Header { what, url, header: "a fitting Range" }.into());
                    }
                    done = (arrived - start) as usize;
                }
            }
        }
        Ok(url)
    }

    /// How far the registry says an upload is.
    fn progress(&self, url: Url) -> Result<(Url, u64), Error> {
        let mut request = Request::get("resume an upload", url);
        let response = self.transport.send(&self.main, &self.push_scopes(), &mut request)?;
        if !matches!(response.status().as_u16(), 200..=204) {
            return Err(self.transport.sender.status(&request, response));
        }
        let end = text(&response, RANGE).and_then(|range| {
            let range = range.strip_prefix("bytes=").unwrap_or(&range).to_owned();
            range.split_once('-')?.1.parse::<u64>().ok()
        });
        let arrived = end.map_or(0, |end| if end == 0 { 0 } else { end + 1 });
        Ok((location(&request, &response).unwrap_or(request.sent.url), arrived))
    }
}

enum Start {
    Mounted,
    /// Where the bytes go, and the least that one part may have.
    Session(Url, u64),
}

/// Where the next request of an upload goes.
fn location(request: &Request<'_>, response: &Response) -> Result<Url, Error> {
    let missing =
        || ErrorKind::Header { what: request.what.to_owned(), url: request.shown(), header: "Location" };
    let location = text(response, LOCATION).ok_or_else(missing)?;
    request.sent.url.follow(&location).map_err(|source| ErrorKind::Fetch { source }.into())
}

/// What is sent: exactly as many bytes as were promised, hashed as they pass.
struct Input<'a> {
    bytes: &'a mut dyn Read,
    hasher: Hasher,
    left: u64,
    failure: Option<io::Error>,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let result = if self.left == 0 { self.end() } else { self.next(buffer) };
        result.map_err(|error| {
            let kind = error.kind();
            self.failure.get_or_insert(error);
            kind.into()
        })
    }
}

impl Input<'_> {
    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.bytes.read(&mut buffer[..most])?;
        if count == 0 {
            let why = format!("it ends {} bytes before its size", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.hasher.update(&buffer[..count]);
        self.left -= count as u64;
        if self.left == 0 {
            // The source checks its digest at its end: before the last bytes are sent, not after.
            self.end()?;
        }
        Ok(count)
    }

    fn end(&mut self) -> io::Result<usize> {
        match self.bytes.read(&mut [0])? {
            0 => Ok(0),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than its size")),
        }
    }
}
