//! What was said about an image: found beside it, checked, and added to it.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::{Duration, Instant};

use kiln_attest::{Statement, attached, legacy, predicate};
use kiln_finding::{Class, Failure};
use kiln_image::{Sink, Source, read_small};
use kiln_oci::{Descriptor, Digest, Manifest, media_type};
use kiln_sign::{Attachment, Signer, attach};
use kiln_trust::{Authority, Evidence, Form, Requirement, TrustReport, verify_image};

/// What a search for statements may cost: manifests and tags that are opened, bytes of what they hold, and time.
const MANIFESTS_MAX: usize = 100;
const BYTES_MAX: u64 = 128 << 20;
const TIME_MAX: Duration = Duration::from_mins(1);
/// Layers of one manifest that are opened; older cosign adds one for every signature.
const LAYERS_MAX: usize = 50;
/// What one layer of the older forms may hold.
const LAYER_MAX: u64 = 32 << 20;

/// What a manifest with a bundle says of it. Source: sigstore, `specs/BUNDLE_SPEC.md` of cosign.
const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// The endings of the tags that the older forms lie under.
const LEGACY_ENDINGS: [&str; 2] = ["sig", "att"];

/// Looks for what was said about an image as anyone would who has only a layout, or a registry, and checks it.
pub fn verify<S: Source>(
    place: &S,
    image: &Descriptor,
    authority: &Authority,
    required: &[Requirement],
) -> Result<TrustReport, Failure> {
    let found = Found::about(place, image, image)?;
    Ok(found.judged(|digest, evidence| verify_image(digest, evidence, authority, required)))
}

/// What lies beside an image and may be a signed statement about it, or about the index that it was found through.
pub struct Found {
    /// The image, and the index where there is one, each with what may be about it.
    levels: Vec<(Digest, Vec<Evidence>)>,
    /// How much was not looked at, because there was too much.
    left_out: usize,
}

impl Found {
    /// Looks for it beside the image and beside `root`, through which it was found, and in `root` where that is an index. An index
    /// holds the digests of its images, so that who signs one signs them. That something cannot be listed is an error: nobody may take
    /// it for nothing.
    pub fn about<S: Source>(place: &S, root: &Descriptor, image: &Descriptor) -> Result<Self, Failure> {
        let index = kiln_images::index_of(place, root)?.unwrap_or_default();
        let mut found = Self { levels: Vec::new(), left_out: 0 };
        let digests = [image.digest, root.digest];
        for (at, digest) in
            digests.into_iter().enumerate().filter(|(at, digest)| !digests[..*at].contains(digest))
        {
            // What is written into an index is about its images.
            let attached =
                index.manifests.iter().filter(|entry| at == 0 && attached::is_about(entry, &digest));
            let (evidence, left_out) = Search::new(place).about(&digest, attached.cloned())?;
            found.levels.push((digest, evidence));
            found.left_out += left_out;
        }
        Ok(found)
    }

    /// Each with the place it was found at.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.levels.iter().flat_map(|(_, evidence)| evidence)
    }

    /// The verdict over it; `verify` is given a digest and what may be about it.
    pub fn judged(&self, verify: impl Fn(&Digest, &[Evidence]) -> TrustReport) -> TrustReport {
        let reports = self.levels.iter().map(|(digest, evidence)| verify(digest, evidence));
        let mut report = reports.reduce(TrustReport::or).expect("an image is a level");
        report.left_out += self.left_out;
        report
    }
}

/// A search that ends, whatever it meets.
struct Search<'a, S> {
    place: &'a S,
    manifests: usize,
    bytes: u64,
    until: Instant,
    found: Vec<Evidence>,
}

impl<'a, S: Source> Search<'a, S> {
    fn new(place: &'a S) -> Self {
        let until = Instant::now() + TIME_MAX;
        Self { place, manifests: 0, bytes: 0, until, found: Vec::new() }
    }

    /// What was found, and how much was not looked at.
    fn about(
        mut self,
        image: &Digest,
        attached: impl Iterator<Item = Descriptor>,
    ) -> Result<(Vec<Evidence>, usize), Failure> {
        let mut left_out = 0;
        let mut seen = BTreeSet::new();
        for referrer in self.place.referrers(image)?.into_iter().chain(attached) {
            if !seen.insert(referrer.digest) {
                continue;
            }
            if self.is_spent() {
                left_out += 1;
                continue;
            }
            self.take(&referrer, &referrer.digest.to_string());
        }
        for ending in LEGACY_ENDINGS {
            let tag = legacy::tag(image, ending);
            if self.is_spent() {
                left_out += 1;
            } else if let Some(manifest) = self.place.resolve(&tag)? {
                self.take(&manifest, &tag);
            }
        }
        Ok((self.found, left_out))
    }

    fn is_spent(&self) -> bool {
        self.manifests >= MANIFESTS_MAX || self.bytes >= BYTES_MAX || Instant::now() >= self.until
    }

    /// Opens a manifest and what it holds. What the list says of it is a hint only, and often wrong.
    fn take(&mut self, descriptor: &Descriptor, place: &str) {
        self.manifests += 1;
        let bytes = match read_small(self.place, "referrer", descriptor) {
            Ok(bytes) => bytes,
            Err(error) => return self.unread(place, &Failure::from(error)),
        };
        self.bytes += bytes.len() as u64;
        // What is no manifest, or of another kind, is no statement of the kind that is looked for.
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { return };
        for layer in manifest.layers.iter().take(LAYERS_MAX) {
            self.layer(layer, place);
        }
    }

    fn layer(&mut self, layer: &Descriptor, place: &str) {
        let limit = match layer.media_type.as_str() {
            media_type::SIGSTORE_BUNDLE => kiln_attest::BUNDLE_MAX as u64,
            legacy::SIGNATURE_TYPE | legacy::STATEMENT_TYPE | attached::STATEMENT_TYPE => LAYER_MAX,
            _ => return,
        };
        if self.is_spent() || layer.size > limit {
            let why = format!("it is left out: {} bytes are more than may be read", layer.size);
            return self.found.push(Evidence { place: place.to_owned(), form: Form::Unread(why) });
        }
        self.bytes += layer.size;
        let bytes = match self.read(layer) {
            Ok(bytes) => bytes,
            Err(failure) => return self.unread(place, &failure),
        };
        let annotations = layer.annotations.clone();
        let form = match layer.media_type.as_str() {
            media_type::SIGSTORE_BUNDLE => Form::Bundle(bytes),
            legacy::SIGNATURE_TYPE => Form::LegacySignature { payload: bytes, annotations },
            attached::STATEMENT_TYPE => Form::Unsigned(bytes),
            _ => Form::LegacyStatement { envelope: bytes, annotations },
        };
        self.found.push(Evidence { place: place.to_owned(), form });
    }

    fn read(&self, layer: &Descriptor) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.place.open(layer)?.read_to_end(&mut bytes).map_err(|error| {
            Failure::new("store.content", Class::Content, format!("read {}", layer.digest))
                .with_cause(error.to_string())
        })?;
        Ok(bytes)
    }

    fn unread(&mut self, place: &str, failure: &Failure) {
        self.found.push(Evidence { place: place.to_owned(), form: Form::Unread(failure.told()) });
    }
}

/// How many manifests beside an image say that they hold statements of this kind. Nothing is checked, and what cannot be read does
/// not count.
pub fn count<S: Source>(place: &S, image: &Digest, family: &str) -> usize {
    let is_one = |annotations: &std::collections::BTreeMap<String, String>| {
        let kinds = [annotations.get(BUNDLE_PREDICATE), annotations.get(legacy::PREDICATE_TYPE)];
        kinds.into_iter().flatten().any(|kind| kind.starts_with(family))
    };
    let tagged = place.resolve(&legacy::tag(image, "att")).ok().flatten();
    let beside = place.referrers(image).unwrap_or_default().into_iter().chain(tagged).take(MANIFESTS_MAX);
    let holds = |descriptor: &Descriptor| {
        let bytes = read_small(place, "referrer", descriptor).unwrap_or_default();
        serde_json::from_slice::<Manifest>(&bytes).is_ok_and(|manifest| {
            is_one(&manifest.annotations) || manifest.layers.iter().any(|layer| is_one(&layer.annotations))
        })
    };
    beside.filter(holds).count()
}

/// Signs a statement and puts it beside its image. `now` is RFC 3339, to the second.
pub fn add<T: Sink>(
    sink: &T,
    image: &Descriptor,
    statement: &Statement,
    signer: &Signer,
    now: &str,
) -> Result<Descriptor, Failure> {
    let bundle = signer.sign(statement, &image.digest)?;
    let Attachment { manifest, bundle, config } = attach(&bundle, &statement.predicate_type, image, now);
    for (content, bytes) in [&config, &bundle, &manifest] {
        sink.put(content, &mut &bytes[..])?;
    }
    sink.publish(&manifest.0, None)?;
    Ok(manifest.0)
}

/// Who signed, for programs.
pub fn signer_json(signer: &Signer) -> Result<(&'static str, serde_json::Value), Failure> {
    Ok(match signer.certificate() {
        Some(says) => ("certificate", serde_json::json!({ "issuer": says.issuer, "subject": says.subject })),
        None => ("key", signer.key().public()?.hint().into()),
    })
}

/// Refuses the older forms for a certificate: they have no place that kiln reads it from.
pub fn refuse_legacy(signer: &Signer) -> Result<(), Failure> {
    if signer.certificate().is_none() && !signer.has_witnesses() {
        return Ok(());
    }
    Err(Failure::usage("write the form before bundles: it is for keys alone, without witnesses")
        .with_help("leave --legacy away, or sign with --key alone"))
}

/// What an attached manifest says, in one word where there is one: the kind of its statement, else of the artifact.
pub fn kind_of(layout: &kiln_store::Layout, manifest: &Descriptor) -> String {
    let read = kiln_image::read_small(layout, "manifest", manifest).ok();
    let read = read.and_then(|bytes| serde_json::from_slice::<kiln_oci::Manifest>(&bytes).ok());
    let Some(read) = read else { return "unreadable".to_owned() };
    match read.annotations.get(BUNDLE_PREDICATE) {
        Some(predicate) => {
            let short = NAMES.iter().find(|(_, known)| known == predicate);
            short.map_or_else(|| predicate.clone(), |(short, _)| (*short).to_owned())
        }
        None => read.artifact_type.unwrap_or_else(|| "other".to_owned()),
    }
}

/// The short names of predicate types that commands take, with cosign's.
const NAMES: [(&str, &str); 11] = [
    ("signature", predicate::SIGNATURE),
    ("spdx", predicate::SPDX),
    ("spdxjson", predicate::SPDX),
    ("cyclonedx", predicate::CYCLONEDX),
    ("provenance", predicate::PROVENANCE),
    ("slsaprovenance1", predicate::PROVENANCE),
    ("slsaprovenance02", predicate::PROVENANCE_V02),
    ("scan", predicate::VULNERABILITIES),
    ("vuln", predicate::VULNERABILITIES),
    ("openvex", predicate::OPENVEX_FAMILY),
    ("custom", predicate::CUSTOM),
];

/// The predicate type of a short name, or the type itself.
pub fn predicate_type(name: &str) -> Result<String, Failure> {
    if let Some((_, found)) = NAMES.iter().find(|(short, _)| *short == name) {
        return Ok((*found).to_owned());
    }
    if name.contains("://") {
        return Ok(name.to_owned());
    }
    let known: Vec<&str> = NAMES.iter().map(|(short, _)| *short).collect();
    Err(Failure::usage(format!("use the predicate type `{name}`: there is none of that name")).with_help(
        kiln_finding::did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("name one of {}, or write the whole URI", known.join(", "))),
    ))
}
