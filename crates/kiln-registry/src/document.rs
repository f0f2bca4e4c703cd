//! Manifests and indexes: got and put.

use kiln_fetch::http::header::{CONTENT_TYPE, HeaderName};
use kiln_fetch::http::{self, Method, Payload};
use kiln_image::DOCUMENT_MAX;
use kiln_oci::{Descriptor, Digest, media_type};
use kiln_text::Checksum;
use serde::Deserialize;

use crate::Error;
use crate::documents::Document;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::header::text;
use crate::repository::Repository;
use crate::sender::Request;
use crate::verify::{check, read_capped};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// Set on the answer to a manifest whose subject the registry keeps account of.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// What kiln takes in answer to a question for a manifest.
pub(crate) fn accept() -> String {
    [media_type::INDEX, media_type::MANIFEST, media_type::DOCKER_INDEX, media_type::DOCKER_MANIFEST]
        .join(", ")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: Option<String>,
}

impl Repository {
    pub(crate) fn missing(&self, reference: &str) -> Error {
        let url = format!("{}@{reference}", self.name());
        let what = "find the manifest".to_owned();
        ErrorKind::Status { what, url, status: 404, said: String::new(), codes: Vec::new() }.into()
    }

    /// The manifest or index with its bytes, from the first place that has it.
    pub(crate) fn document(&self, reference: &str) -> Result<Option<Document>, Error> {
        for mirror in &self.mirrors {
            // A mirror that fails in any way is passed over.
            if let Ok(Some(document)) = self.fetch_document(mirror, reference) {
                return Ok(Some(document));
            }
        }
        self.fetch_document(&self.main, reference)
    }

    /// The manifest that a tag or digest names at `endpoint`; `None` where there is none.
    pub(crate) fn fetch_document(
        &self,
        endpoint: &Endpoint,
        reference: &str,
    ) -> Result<Option<Document>, Error> {
        let mut tries = self.transport.sender.options.retry.tries();
        loop {
            match self.try_document(endpoint, reference) {
                // Whoever sends the request tries again if it fails; this is about the body.
                Err(error) if !tries.is_last() && matches!(error.kind(), ErrorKind::Broken { .. }) => {
                    if !tries.wait_until(None, self.transport.sender.until()) {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    fn try_document(&self, endpoint: &Endpoint, reference: &str) -> Result<Option<Document>, Error> {
        let scheme = self.transport.scheme(endpoint)?;
        let url = endpoint.url(scheme, &format!("manifests/{reference}"))?;
        let request = Request::get("read the manifest", url.clone()).accept(&accept());
        let (response, _) = self.transport.follow(endpoint, &endpoint.scope("pull"), request)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.transport.sender.status(&Request::get("read the manifest", url), response)),
        }
        let shown = url.shown();
        let header = |name: HeaderName| text(&response, name);
        let (kind, said) = (header(CONTENT_TYPE), header(CONTENT_DIGEST));
        let body = http::body(response, self.transport.sender.pace());
        let bytes = read_capped(body, "manifest", &shown, DOCUMENT_MAX)?;
        let other = reference.split_once(':').filter(|(algorithm, _)| *algorithm == "sha512");
        if other.is_some_and(|(algorithm, hex)| !holds(algorithm, hex, &bytes)) {
            return Err(ErrorKind::OtherDigest { url: shown }.into());
        }
        // What was asked for by its digest must have it; of a tag, the server says which digest it sends.
        let promised = reference.parse::<Digest>().ok().or_else(|| said?.parse().ok());
        if let Some(promised) = promised {
            check(&bytes, &promised, &shown)?;
        }
        let descriptor = Descriptor::of(&media_type_of(&bytes, kind, &shown)?, &bytes);
        let document = Document { descriptor, bytes };
        self.documents.keep(&document);
        Ok(Some(document))
    }

    /// Puts a manifest under a tag or its digest.
    pub(crate) fn put_document(
        &self,
        content: &Descriptor,
        bytes: &[u8],
        reference: &str,
    ) -> Result<(), Error> {
        let scheme = self.transport.scheme(&self.main)?;
        let url = self.main.url(scheme, &format!("manifests/{reference}"))?;
        let payload = Payload::Bytes { bytes, kind: &content.media_type };
        let mut request = Request::new("write the manifest", Method::PUT, url, payload);
        let response = self.transport.send(&self.main, &self.push_scopes(), &mut request)?;
        if !matches!(response.status().as_u16(), 200..=202) {
            return Err(self.transport.sender.status(&request, response));
        }
        if let Some(stored) = text(&response, CONTENT_DIGEST).and_then(|said| said.parse::<Digest>().ok())
            && stored != content.digest
        {
            let (url, size) = (request.shown(), bytes.len() as u64);
            return Err(ErrorKind::Mismatch { url, promised: content.digest, got: stored, size }.into());
        }
        let plain = Descriptor::new(&content.media_type, content.digest, content.size);
        self.documents.keep(&Document { descriptor: plain, bytes: bytes.to_vec() });
        if response.headers().contains_key(SUBJECT) {
            self.documents.list(content.digest);
        }
        Ok(())
    }
}

fn holds(algorithm: &str, hex: &str, bytes: &[u8]) -> bool {
    Checksum::from_hex(algorithm, hex).is_some_and(|asked| asked.holds(bytes))
}

/// The type the server gives, unless it is none of a manifest: then the one inside. They must not differ.
fn media_type_of(bytes: &[u8], header: Option<String>, url: &str) -> Result<String, Error> {
    let malformed = |source| ErrorKind::Document { what: "manifest", url: url.to_owned(), source };
    let inside = serde_json::from_slice::<Typed>(bytes).map_err(malformed)?.media_type;
    let header = header.unwrap_or_default();
    let header = header.split(';').next().unwrap_or_default().trim().to_owned();
    let is_known = |kind: &str| media_type::is_manifest(kind) || media_type::is_index(kind);
    match inside {
        Some(said) if is_known(&said) && (said == header || !is_known(&header)) => Ok(said),
        None if is_known(&header) => Ok(header),
        said => {
            let (url, said) = (url.to_owned(), said.unwrap_or_default());
            Err(ErrorKind::MediaType { url, found: header, said }.into())
        }
    }
}
