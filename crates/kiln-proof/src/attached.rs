//! Statements written into an index, as BuildKit does: unsigned, where other tools show them.

use kiln_attest::{Bundle, Content, Statement, attached, predicate};
use kiln_finding::{Class, Failure};
use kiln_image::{Image, Sink, read_small};
use kiln_images::{Destination, Place};
use kiln_oci::{Descriptor, Index, Platform, media_type};
use kiln_trust::Form;
use serde_json::Value;

use crate::found::Found;

/// Puts what signed statements say about `root`, or about the images in it, beside them in an index, and yields that index,
/// which has no name yet. `root` and its images are in `sink` already.
pub fn index(from: &Place, root: &Descriptor, sink: &Destination) -> Result<Descriptor, Failure> {
    let (mut document, images) = match kiln_images::index_of(from, root)? {
        Some(index) => (read(from, root)?, images(&index)),
        None => of_one(from, root)?,
    };
    let mut entries = Vec::new();
    for image in &images {
        let statements = statements(from, image)?;
        if statements.is_empty() {
            continue;
        }
        let attached = attached::attach(image, &statements);
        for (content, bytes) in attached.blobs.iter().chain([&attached.manifest]) {
            sink.put(content, &mut &bytes[..])?;
        }
        entries.push((image.digest, attached.manifest.0));
    }
    if entries.is_empty() {
        let what = format!("write statements into an index: there are none about {}", root.digest);
        return Err(Failure::new("kiln.no_statements", Class::Usage, what)
            .with_help("make them first: `kiln ship`, or `kiln attest IMAGE --type TYPE --predicate FILE`"));
    }
    let list = document["manifests"].as_array_mut().expect("it was read as an index");
    // What was there about the same images is replaced.
    list.retain(|entry| {
        let entry = serde_json::from_value::<Descriptor>(entry.clone());
        !entry.is_ok_and(|entry| entries.iter().any(|(image, _)| attached::is_about(&entry, image)))
    });
    list.extend(entries.iter().map(|(_, entry)| serde_json::to_value(entry).expect("a descriptor is texts")));
    let bytes = serde_json::to_vec(&document).expect("it is JSON");
    let descriptor = Descriptor::of(&media_type_of(&document), &bytes);
    sink.put(&descriptor, &mut &bytes[..])?;
    Ok(descriptor)
}

fn media_type_of(document: &Value) -> String {
    document["mediaType"].as_str().unwrap_or(media_type::INDEX).to_owned()
}

/// An index as it is, with everything that nobody here knows of.
fn read(from: &Place, root: &Descriptor) -> Result<Value, Failure> {
    let bytes = read_small(from, "index", root)?;
    Ok(serde_json::from_slice(&bytes).expect("it was read as an index"))
}

fn images(index: &Index) -> Vec<Descriptor> {
    let is_image =
        |entry: &&Descriptor| media_type::is_manifest(&entry.media_type) && !attached::is_attached(entry);
    index.manifests.iter().filter(is_image).cloned().collect()
}

/// An index around the image of one platform.
fn of_one(from: &Place, image: &Descriptor) -> Result<(Value, Vec<Descriptor>), Failure> {
    let config = Image::read(from, image)?.config;
    let variant = config.other.get("variant").and_then(Value::as_str).map(str::to_owned);
    let mut entry = Descriptor::new(&image.media_type, image.digest, image.size);
    entry.platform = Some(Platform { architecture: config.architecture, os: config.os, variant });
    let index = Index { manifests: vec![entry.clone()], ..Index::default() };
    Ok((serde_json::to_value(index).expect("an index is texts and numbers"), vec![entry]))
}

/// What signed statements beside an image say, but for signatures, which say nothing; in one order, each once.
fn statements(from: &Place, image: &Descriptor) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut found = Found::about(from, image, image)?;
    let (evidence, left_out) = found.all();
    if left_out > 0 {
        let what =
            format!("write statements into an index: {left_out} about {} were not looked at", image.digest);
        return Err(Failure::new("kiln.statements", Class::Content, what)
            .with_help("remove old ones from the registry first"));
    }
    let mut statements = Vec::new();
    for piece in evidence {
        let Form::Bundle(bytes) = &piece.form else { continue };
        // What cannot be read says nothing.
        let Ok(Bundle { content: Content::Envelope(envelope), .. }) = Bundle::read(bytes) else { continue };
        let Ok(statement) = Statement::read(&envelope.payload) else { continue };
        if statement.predicate_type != predicate::SIGNATURE && statement.is_about(&image.digest) {
            statements.push((statement.predicate_type, envelope.payload));
        }
    }
    statements.sort();
    statements.dedup();
    Ok(statements)
}
