//! Signatures, statements and SBOMs that older tools keep under tags beside an image. Source: cosign, `specs/SIGNATURE_SPEC.md`.

use kiln_attest::legacy;
use kiln_finding::{Class, Failure};
use kiln_image::{Listed, Sink, Source, copy, read_small};
use kiln_oci::{Descriptor, Digest, Manifest};

use crate::destination::Destination;
use crate::place::Place;
use crate::platform::listed_images;

/// The endings of tags whose manifests are lists of signatures, which are put together where both sides have some.
const LISTS: [&str; 2] = ["sig", "att"];
/// The ending of the tag of an SBOM.
const SBOM: &str = "sbom";

/// Tags beside an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Those that were taken along.
    pub taken: Vec<String>,
    /// Those that were not, and why.
    pub left: Vec<(String, String)>,
    /// Of those that may be there and are not known: what it is, and why.
    pub unknown: Vec<String>,
}

/// Takes along what lies under tags beside `root`, and beside its images where it is an index. With `all`, what cannot be taken ends
/// it, and SBOMs come, too; without, it is named.
pub fn bring_tags(from: &Place, root: &Descriptor, to: &Destination, all: bool) -> Result<Tags, Failure> {
    let mut subjects = vec![root.digest];
    let listed = listed_images(from, root)?.into_iter().map(|image| image.digest);
    subjects.extend(listed.filter(|image| *image != root.digest));
    let mut tags = Tags::default();
    for subject in subjects {
        for ending in LISTS.into_iter().chain(all.then_some(SBOM)) {
            let tag = legacy::tag(&subject, ending);
            match bring(from, to, &tag, ending, &mut tags.unknown) {
                Ok(Brought::Nothing) => {}
                Ok(Brought::Taken) => tags.taken.push(tag),
                Ok(Brought::Left(why)) => tags.left.push((tag, why)),
                Err(failure) if all => return Err(failure),
                Err(failure) => tags.left.push((tag, failure.told())),
            }
        }
    }
    Ok(tags)
}

/// What lies beside an image or an index: what refers to it, and what is under the tags of older tools.
pub fn beside(place: &Place, digest: &Digest) -> Result<Listed, Failure> {
    let mut all = place.referrers(digest)?;
    for ending in LISTS {
        let tagged = place.resolve_all(&legacy::tag(digest, ending))?;
        all.found.extend(tagged.found);
        all.unknown.extend(tagged.unknown);
    }
    Ok(all)
}

enum Brought {
    Nothing,
    Taken,
    Left(String),
}

fn bring(
    from: &Place,
    to: &Destination,
    tag: &str,
    ending: &str,
    unknown: &mut Vec<String>,
) -> Result<Brought, Failure> {
    let mut brought = Brought::Nothing;
    let listed = from.resolve_all(tag)?;
    unknown.extend(listed.unknown);
    for manifest in listed.found {
        brought = match present(to, tag)? {
            Some((there, _)) if there == manifest.digest => Brought::Taken,
            Some(_) if ending == SBOM => Brought::Left("another is there already".to_owned()),
            Some((_, own)) => add(from, to, tag, own, layers(from, &manifest)?)?,
            None => {
                copy(from, to, &manifest, Some(tag))?;
                Brought::Taken
            }
        };
    }
    Ok(brought)
}

/// Adds the signatures under a tag to those that are there.
fn add(
    from: &Place,
    to: &Destination,
    tag: &str,
    own: Vec<Descriptor>,
    new: Vec<Descriptor>,
) -> Result<Brought, Failure> {
    let others: Vec<Descriptor> = new.into_iter().filter(|layer| !own.contains(layer)).collect();
    if others.is_empty() {
        return Ok(Brought::Taken);
    }
    for layer in &others {
        to.put(layer, &mut from.open_unchecked(layer)?)?;
    }
    let [config, manifest] = legacy::image(own.into_iter().chain(others).collect());
    for (content, bytes) in [&config, &manifest] {
        to.put(content, &mut &bytes[..])?;
    }
    to.publish(&manifest.0, Some(tag))?;
    Ok(Brought::Taken)
}

/// What lies under a tag: a manifest, and its layers. An archive in the making has nothing yet.
pub fn present(destination: &Destination, tag: &str) -> Result<Option<(Digest, Vec<Descriptor>)>, Failure> {
    match destination {
        Destination::Layout(layout) => found(layout, tag),
        Destination::Registry(repository) => found(repository.as_ref(), tag),
        Destination::File(_) | Destination::Daemon(_) => Ok(None),
    }
}

fn found<S: Source>(place: &S, tag: &str) -> Result<Option<(Digest, Vec<Descriptor>)>, Failure> {
    let Some(found) = place.resolve(tag)? else { return Ok(None) };
    Ok(Some((found.digest, layers(place, &found)?)))
}

fn layers<S: Source>(place: &S, manifest: &Descriptor) -> Result<Vec<Descriptor>, Failure> {
    let bytes = read_small(place, "manifest", manifest)?;
    let read: Manifest = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new("kiln.legacy", Class::Content, format!("read the manifest {}", manifest.digest))
            .with_cause(error.to_string())
    })?;
    Ok(read.layers)
}
