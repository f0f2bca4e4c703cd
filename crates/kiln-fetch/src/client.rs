use std::time::Instant;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::http::header::{ACCEPT, CONTENT_RANGE, ETAG, HeaderName, RANGE};
use crate::http::{self, BodyReader, Connections, Http, Pace, Request, Response, retry_after};
use crate::options::Options;
use crate::url::Url;

/// Asks servers for files. A credential goes to its own host and nowhere else.
pub(crate) struct Client {
    http: Http,
    credentials: Credentials,
    pace: Pace,
    until: Option<Instant>,
}

/// What a server sends.
pub(crate) struct Answer {
    /// The offset of the first byte: zero unless the server agreed to send only the rest.
    pub(crate) offset: u64,
    /// How many bytes will come, where the server says so.
    pub(crate) length: Option<u64>,
    /// What tells this version of a document that changes from others; weak tags are left out.
    pub(crate) tag: Option<String>,
    pub(crate) body: BodyReader,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let (ca_files, proxy) = (&options.ca_files[..], options.proxy.as_deref());
        let by = Connections { ca_files, proxy, closed: options.closed.clone() };
        let http = Http::new(by, options.stall)?;
        let credentials = options.credentials.clone();
        Ok(Self { http, credentials, pace: options.pace, until: options.until })
    }

    /// Asks for `url` from byte `offset` on.
    pub(crate) fn get(&self, url: &str, offset: u64, accept: Option<&str>) -> Result<Answer, Error> {
        let accept = accept.map(|accept| (ACCEPT, accept));
        self.get_with(url, offset, accept.as_slice())
    }

    /// The same, with more headers.
    pub(crate) fn get_with(
        &self,
        url: &str,
        offset: u64,
        headers: &[(HeaderName, &str)],
    ) -> Result<Answer, Error> {
        let mut request = Request::get(Url::read(url)?);
        request.headers = headers.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        if offset > 0 {
            request = request.with(RANGE, format!("bytes={offset}-"));
        }
        let response = http::follow(&mut request, |request| {
            // Of the time that is left for all of them.
            request.timeout = self.until.map(|until| until.saturating_duration_since(Instant::now()));
            self.ask(request)
        })?;
        let url = request.url.shown();
        let response = response.ok_or_else(|| ErrorKind::Redirects { url: url.clone() })?;
        match response.status().as_u16() {
            200 => Ok(answer(response, 0, self.pace)),
            206 => partial(url, offset, response, self.pace),
            status => Err(ErrorKind::Status { url, status, after: retry_after(&response) }.into()),
        }
    }

    fn ask(&self, request: &mut Request<'_>) -> Result<Response, Error> {
        let authorization = self.credentials.header(&request.url);
        let answer = self.http.send(request, authorization.as_deref());
        answer.map_err(|source| {
            ErrorKind::Network { url: request.url.shown(), source: Box::new(source) }.into()
        })
    }
}

fn answer(response: Response, offset: u64, pace: Pace) -> Answer {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.filter(|tag| tag.starts_with('"')).map(str::to_owned);
    let length = response.body().content_length();
    Answer { offset, length, tag, body: http::body(response, pace) }
}

/// A 206 counts only if it starts where it was asked to.
fn partial(url: String, offset: u64, response: Response, pace: Pace) -> Result<Answer, Error> {
    let starts = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
    if offset > 0 && starts == Some(offset) {
        return Ok(answer(response, offset, pace));
    }
    Err(ErrorKind::Status { url, status: 206, after: None }.into())
}
