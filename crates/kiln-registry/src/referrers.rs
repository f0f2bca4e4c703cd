//! What refers to a manifest. Source: distribution-spec, "Listing Referrers" and "Referrers Tag Schema".

use kiln_fetch::http;
use kiln_fetch::http::header::{CONTENT_TYPE, HeaderName, LINK};
use kiln_image::DOCUMENT_MAX;
use kiln_oci::{Descriptor, Digest, Index, Manifest, media_type};

use crate::Error;
use crate::documents::Document;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::header::text;
use crate::link;
use crate::repository::Repository;
use crate::sender::Request;
use crate::verify::read_capped;

/// How many referrers one subject may have.
const REFERRERS_MAX: usize = 10_000;
const PAGES_MAX: usize = 200;
/// How often the list is written before it is given up.
const WRITES: usize = 4;

impl Repository {
    /// From the registry's own account; where it keeps none, from the list under the fallback tag.
    pub(crate) fn list_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        match self.ask_referrers(&self.main, subject)? {
            Some(listed) => Ok(listed),
            None => Ok(self.tagged(subject)?.map_or_else(Vec::new, |index| index.manifests)),
        }
    }

    fn ask_referrers(&self, endpoint: &Endpoint, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let scheme = self.transport.scheme(&endpoint.api)?;
        let mut url = endpoint.url(scheme, &format!("referrers/{subject}"))?;
        let mut listed: Vec<Descriptor> = Vec::new();
        for page in 0..PAGES_MAX {
            let request = Request::get("list referrers", url.clone()).accept(media_type::INDEX);
            let (response, from) = self.transport.follow(endpoint, &endpoint.scope("pull"), request)?;
            let status = response.status().as_u16();
            let header = |name: HeaderName| text(&response, name).unwrap_or_default();
            let is_index = header(CONTENT_TYPE).starts_with(media_type::INDEX);
            // Registries that do not know the question answer in many ways, but not with an index.
            if page == 0 && (matches!(status, 400 | 404 | 405 | 406) || (status == 200 && !is_index)) {
                return Ok(None);
            }
            if status != 200 {
                return Err(self.transport.sender.status(&Request::get("list referrers", from), response));
            }
            let link = header(LINK);
            let shown = url.shown();
            let body = http::body(response);
            let bytes =
                read_capped(body, self.transport.sender.pace(), "list of referrers", &shown, DOCUMENT_MAX)?;
            listed.extend(parse(&bytes, &shown)?.manifests);
            if listed.len() > REFERRERS_MAX {
                let what = "list of referrers";
                return Err(ErrorKind::TooMany { what, url: shown, cap: REFERRERS_MAX }.into());
            }
            match link::next(&link) {
                Some(next) => url = url.follow(next).map_err(|source| ErrorKind::Fetch { source })?,
                None => return Ok(Some(listed)),
            }
        }
        let (what, url) = ("list of referrers", url.shown());
        Err(ErrorKind::TooMany { what, url, cap: REFERRERS_MAX }.into())
    }

    /// The list under the fallback tag.
    fn tagged(&self, subject: &Digest) -> Result<Option<Index>, Error> {
        let Some(document) = self.fetch_document(&self.main, &tag(subject))? else { return Ok(None) };
        if !media_type::is_index(&document.descriptor.media_type) {
            return Err(ErrorKind::Occupied { subject: *subject }.into());
        }
        let url = format!("{}:{}", self.name(), tag(subject));
        parse(&document.bytes, &url).map(Some)
    }

    /// Adds a manifest to the list under the fallback tag, which others may be changing at the same time.
    pub(crate) fn list_by_tag(
        &self,
        manifest: &Descriptor,
        bytes: &[u8],
        subject: &Digest,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.listing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entry = entry(manifest, bytes);
        for _ in 0..WRITES {
            let mut index = self.tagged(subject)?.unwrap_or_default();
            let before = index.manifests.clone();
            repair(&mut index.manifests, &entry);
            if index.manifests == before {
                return Ok(());
            }
            if index.manifests.len() > REFERRERS_MAX {
                let url = format!("{}:{}", self.name(), tag(subject));
                let what = "list of referrers";
                return Err(ErrorKind::TooMany { what, url, cap: REFERRERS_MAX }.into());
            }
            index.media_type = Some(media_type::INDEX.to_owned());
            let bytes = index.to_bytes();
            let document = Document { descriptor: Descriptor::of(media_type::INDEX, &bytes), bytes };
            self.put_document(&document.descriptor, &document.bytes, &tag(subject))?;
        }
        Err(ErrorKind::Contended { subject: *subject }.into())
    }
}

/// The tag under which a registry without an account of referrers keeps the list.
fn tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// What the list says of a manifest: its type is that of the artifact, or of its configuration.
fn entry(manifest: &Descriptor, bytes: &[u8]) -> Descriptor {
    let mut entry = Descriptor::new(&manifest.media_type, manifest.digest, manifest.size);
    if let Ok(parsed) = serde_json::from_slice::<Manifest>(bytes) {
        entry.artifact_type = Some(parsed.artifact_type.unwrap_or(parsed.config.media_type));
        entry.annotations = parsed.annotations;
    }
    entry
}

/// Every manifest once, in the order they came; `entry` as it should be.
fn repair(manifests: &mut Vec<Descriptor>, entry: &Descriptor) {
    let mut seen = std::collections::BTreeSet::new();
    manifests.retain(|one| seen.insert(one.digest));
    match manifests.iter_mut().find(|one| one.digest == entry.digest) {
        Some(listed) => *listed = entry.clone(),
        None => manifests.push(entry.clone()),
    }
}

fn parse(bytes: &[u8], url: &str) -> Result<Index, Error> {
    let malformed = |source| ErrorKind::Document { what: "list of referrers", url: url.to_owned(), source };
    Ok(serde_json::from_slice(bytes).map_err(malformed)?)
}
