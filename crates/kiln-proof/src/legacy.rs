//! Signatures and statements under a tag, beside those of others that lie there already.

use kiln_attest::Statement;
use kiln_attest::legacy::{image as packed, tag};
use kiln_finding::{Class, Failure};
use kiln_image::Sink;
use kiln_images::{Destination, present};
use kiln_oci::Descriptor;
use kiln_sign::{KeyPair, legacy};

/// How many signatures one tag may hold.
const LAYERS_MAX: usize = 1000;

/// Signs an image. `name` is its repository, which readers of this form may compare.
pub fn sign(destination: &Destination, image: &Descriptor, name: &str, key: &KeyPair) -> Result<(), Failure> {
    add(destination, &tag(&image.digest, "sig"), legacy::sign(key, &image.digest, name)?)
}

/// Adds a statement about an image.
pub fn attest(
    destination: &Destination,
    image: &Descriptor,
    statement: &Statement,
    key: &KeyPair,
) -> Result<(), Failure> {
    add(destination, &tag(&image.digest, "att"), legacy::attest(key, statement)?)
}

fn add(destination: &Destination, tag: &str, layer: (Descriptor, Vec<u8>)) -> Result<(), Failure> {
    let mut layers = present(destination, tag)?.map(|(_, layers)| layers).unwrap_or_default();
    if layers.len() >= LAYERS_MAX {
        let what = format!("add to {tag}: it holds {LAYERS_MAX} signatures already");
        return Err(Failure::new("kiln.legacy", Class::Content, what));
    }
    layers.push(layer.0.clone());
    let [config, manifest] = packed(layers);
    for (content, bytes) in [&layer, &config, &manifest] {
        destination.put(content, &mut &bytes[..])?;
    }
    Ok(destination.publish(&manifest.0, Some(tag))?)
}
