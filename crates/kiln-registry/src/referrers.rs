//! What refers to a manifest. Source: distribution-spec, "Listing Referrers" and "Referrers Tag Schema".

use std::collections::{BTreeMap, BTreeSet};

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

/// How many referrers one subject may have, and what all pages that list them may weigh.
const REFERRERS_MAX: usize = 20_000;
const PAGES_MAX: usize = 200;
const LISTED_MAX: u64 = 32 << 20;
/// How often the list is written before it is given up.
const WRITES: usize = 4;

impl Repository {
    /// What the mirrors and the registry list, each manifest once.
    pub(crate) fn list_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let lists = self.everywhere(|place| {
            self.listed_at(place, subject).map(|listed| (!listed.is_empty()).then_some(listed))
        })?;
        Ok(merged(lists.into_iter().flatten()))
    }

    /// What all places that answer for the repository have. A mirror that fails is passed over; the registry is, where a mirror
    /// has something: whoever is cut off from it has mirrors for that.
    pub(crate) fn everywhere<T>(
        &self,
        ask: impl Fn(&Endpoint) -> Result<Option<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found: Vec<T> = self.mirrors.iter().filter_map(|mirror| ask(mirror).ok().flatten()).collect();
        match ask(&self.main) {
            Ok(answer) => found.extend(answer),
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(found)
    }

    /// The registry's own account, and the list under the fallback tag: there are registries that answer the question with an empty
    /// list, whatever lies under the tag, and writers that know only the tag.
    fn listed_at(&self, place: &Endpoint, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let own = self.ask_referrers(place, subject)?;
        let tagged = match self.tagged(place, subject) {
            // The registry answered; what lies under the tag is no list.
            Err(error) if own.is_some() && matches!(error.kind(), ErrorKind::Occupied { .. }) => None,
            tagged => tagged?,
        };
        let mut listed = own.unwrap_or_default();
        listed.extend(tagged.map(|index| index.manifests).unwrap_or_default());
        Ok(listed)
    }

    fn ask_referrers(&self, endpoint: &Endpoint, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let scheme = self.transport.scheme(&endpoint.api)?;
        let mut url = endpoint.url(scheme, &format!("referrers/{subject}"))?;
        let (mut listed, mut weight): (Vec<Descriptor>, u64) = (Vec::new(), 0);
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
            let body = http::body(response, self.transport.sender.pace());
            let bytes = read_capped(body, "list of referrers", &shown, DOCUMENT_MAX)?;
            weight += bytes.len() as u64;
            listed.extend(parse(&bytes, &shown)?.manifests);
            if listed.len() > REFERRERS_MAX || weight > LISTED_MAX {
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
    fn tagged(&self, place: &Endpoint, subject: &Digest) -> Result<Option<Index>, Error> {
        let Some(document) = self.fetch_document(place, &tag(subject))? else { return Ok(None) };
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
            let mut index = self.tagged(&self.main, subject)?.unwrap_or_default();
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
    let mut seen = BTreeSet::new();
    manifests.retain(|one| seen.insert(one.digest));
    match manifests.iter_mut().find(|one| one.digest == entry.digest) {
        Some(listed) => *listed = entry.clone(),
        None => manifests.push(entry.clone()),
    }
}

/// Each manifest once, in the order they came, with all that any list says of it: there are registries that list nothing but digests.
fn merged(listed: impl Iterator<Item = Descriptor>) -> Vec<Descriptor> {
    let (mut all, mut known) = (Vec::<Descriptor>::new(), BTreeMap::new());
    for one in listed {
        let Some(&at) = known.get(&one.digest) else {
            known.insert(one.digest, all.len());
            all.push(one);
            continue;
        };
        let first = &mut all[at];
        if first.artifact_type.as_deref().is_none_or(|kind| kind == media_type::EMPTY) {
            first.artifact_type = one.artifact_type.or(first.artifact_type.take());
        }
        for (key, value) in one.annotations {
            first.annotations.entry(key).or_insert(value);
        }
    }
    all
}

fn parse(bytes: &[u8], url: &str) -> Result<Index, Error> {
    let malformed = |source| ErrorKind::Document { what: "list of referrers", url: url.to_owned(), source };
    Ok(serde_json::from_slice(bytes).map_err(malformed)?)
}
