//! What refers to a manifest. Source: distribution-spec, "Listing Referrers" and "Referrers Tag Schema".

use std::collections::{BTreeMap, BTreeSet};

use kiln_fetch::Url;
use kiln_fetch::http;
use kiln_fetch::http::header::{CONTENT_TYPE, HeaderName, LINK};
use kiln_finding::Failure;
use kiln_image::{DOCUMENT_MAX, Listed};
use kiln_oci::{Descriptor, Digest, Index, Listing, Manifest, media_type};

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

/// What places have, and why that of others is not known.
pub(crate) struct Everywhere<T> {
    pub(crate) found: Vec<T>,
    pub(crate) unknown: Vec<String>,
}

/// A page of a list, and the address of the next one.
struct Page {
    bytes: Vec<u8>,
    next: Option<String>,
}

impl Repository {
    /// What the mirrors and the registry list, each manifest once.
    pub(crate) fn list_referrers(&self, subject: &Digest) -> Result<Listed, Error> {
        let lists = self.everywhere(|place| {
            let listed = self.listed_at(place, subject)?;
            Ok((listed != Listed::default()).then_some(listed))
        })?;
        let mut unknown = lists.unknown;
        unknown.extend(lists.found.iter().flat_map(|list| list.unknown.clone()));
        Ok(Listed { found: merged(lists.found.into_iter().flat_map(|list| list.found)), unknown })
    }

    /// What all places that answer for the repository have. Where the registry answers, a mirror that fails is passed over: what there
    /// is, the registry knows. Where it does not, whoever is cut off from it has what mirrors have, and is told that the rest is not
    /// known.
    pub(crate) fn everywhere<T>(
        &self,
        ask: impl Fn(&Endpoint) -> Result<Option<T>, Error>,
    ) -> Result<Everywhere<T>, Error> {
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for mirror in &self.mirrors {
            match ask(mirror) {
                Ok(answer) => found.extend(answer),
                Err(error) => unknown.push(told(error)),
            }
        }
        match ask(&self.main) {
            Ok(answer) => {
                found.extend(answer);
                unknown.clear();
            }
            Err(error) if found.is_empty() => return Err(error),
            Err(error) => unknown.push(told(error)),
        }
        Ok(Everywhere { found, unknown })
    }

    /// The registry's own account, and the list under the fallback tag: there are registries that answer the question with an empty
    /// list, whatever lies under the tag, and writers that know only the tag. Where one of them cannot be had, the other counts.
    fn listed_at(&self, place: &Endpoint, subject: &Digest) -> Result<Listed, Error> {
        let own = self.ask_referrers(place, subject);
        let tagged = match self.tagged(place, subject) {
            // The registry answered; what lies under the tag is no list.
            Err(error)
                if matches!(own, Ok(Some(_))) && matches!(error.kind(), ErrorKind::Occupied { .. }) =>
            {
                Ok(None)
            }
            tagged => tagged,
        };
        let mut all = Listed::default();
        match (own, tagged) {
            (Err(error), Err(_)) | (Ok(None), Err(error)) => return Err(error),
            (own, tagged) => {
                for list in [own, tagged] {
                    match list {
                        Ok(listed) => add(&mut all, listed.unwrap_or_default()),
                        Err(error) => all.unknown.push(told(error)),
                    }
                }
            }
        }
        Ok(all)
    }

    /// The registry's own account; `None` where it keeps none. Where a later page cannot be had, or there are too many, what came
    /// before it counts.
    fn ask_referrers(&self, endpoint: &Endpoint, subject: &Digest) -> Result<Option<Listed>, Error> {
        let scheme = self.transport.scheme(endpoint)?;
        let mut url = endpoint.url(scheme, &format!("referrers/{subject}"))?;
        let (mut listed, mut weight) = (Listed::default(), 0);
        for page in 0..PAGES_MAX {
            let answer = match self.ask_page(endpoint, &url) {
                Err(error) if page > 0 => {
                    listed.unknown.push(told(error));
                    return Ok(Some(listed));
                }
                answer => answer?,
            };
            let Some(Page { bytes, next }) = answer else {
                if page == 0 {
                    return Ok(None);
                }
                listed.unknown.push(format!("{} is no list of referrers", url.shown()));
                return Ok(Some(listed));
            };
            weight += bytes.len() as u64;
            match parse(&bytes, &url.shown()) {
                Ok(more) => add(&mut listed, more),
                Err(error) if page == 0 => return Err(error),
                Err(error) => listed.unknown.push(told(error)),
            }
            if listed.found.len() > REFERRERS_MAX || weight > LISTED_MAX {
                break;
            }
            match next {
                Some(next) => url = url.follow(&next).map_err(|source| ErrorKind::Fetch { source })?,
                None => return Ok(Some(listed)),
            }
        }
        listed.found.truncate(REFERRERS_MAX);
        let (what, url) = ("list of referrers", url.shown());
        listed.unknown.push(told(ErrorKind::TooMany { what, url, cap: REFERRERS_MAX }.into()));
        Ok(Some(listed))
    }

    /// One page of it; `None` where what answers is no list: registries that do not know the question answer in many ways, but not with
    /// an index.
    fn ask_page(&self, endpoint: &Endpoint, url: &Url) -> Result<Option<Page>, Error> {
        let request = Request::get("list referrers", url.clone()).accept(media_type::INDEX);
        let (response, from) = self.transport.follow(endpoint, &endpoint.scope("pull"), request)?;
        let status = response.status().as_u16();
        let header = |name: HeaderName| text(&response, name).unwrap_or_default();
        let is_index = header(CONTENT_TYPE).starts_with(media_type::INDEX);
        if matches!(status, 400 | 404 | 405 | 406) || (status == 200 && !is_index) {
            return Ok(None);
        }
        if status != 200 {
            return Err(self.transport.sender.status(&Request::get("list referrers", from), response));
        }
        let next = link::next(&header(LINK)).map(str::to_owned);
        let body = http::body(response, self.transport.sender.pace());
        let bytes = read_capped(body, "list of referrers", &url.shown(), DOCUMENT_MAX)?;
        Ok(Some(Page { bytes, next }))
    }

    /// The list under the fallback tag.
    fn tagged(&self, place: &Endpoint, subject: &Digest) -> Result<Option<Listed>, Error> {
        let Some((bytes, url)) = self.tagged_bytes(place, subject)? else { return Ok(None) };
        parse(&bytes, &url).map(Some)
    }

    /// What lies under the fallback tag, and where that is.
    fn tagged_bytes(&self, place: &Endpoint, subject: &Digest) -> Result<Option<(Vec<u8>, String)>, Error> {
        let Some(document) = self.fetch_document(place, &tag(subject))? else { return Ok(None) };
        if !media_type::is_index(&document.descriptor.media_type) {
            return Err(ErrorKind::Occupied { subject: *subject }.into());
        }
        Ok(Some((document.bytes, format!("{}/{}:{}", place.host, place.name, tag(subject)))))
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
            // All of it, or nothing is written: what is not understood would be lost.
            let mut index: Index = match self.tagged_bytes(&self.main, subject)? {
                Some((bytes, url)) => {
                    serde_json::from_slice(&bytes).map_err(|source| malformed(url, source))?
                }
                None => Index::default(),
            };
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

fn parse(bytes: &[u8], url: &str) -> Result<Listed, Error> {
    let Listing { manifests, odd } =
        Listing::read(bytes).map_err(|source| malformed(url.to_owned(), source))?;
    let unknown = odd.into_iter().map(|why| format!("of what {url} lists, {why}")).collect();
    Ok(Listed { found: manifests, unknown })
}

fn malformed(url: String, source: serde_json::Error) -> ErrorKind {
    ErrorKind::Document { what: "list of referrers", url, source }
}

fn add(all: &mut Listed, more: Listed) {
    all.found.extend(more.found);
    all.unknown.extend(more.unknown);
}

fn told(error: Error) -> String {
    Failure::from(error).told()
}
