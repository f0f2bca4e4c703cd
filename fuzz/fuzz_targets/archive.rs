#![no_main]
//! An archive of images, whatever its form: what it lists, and every blob of every image.

use std::io::Read;

use kiln_fuzz::recipe;
use kiln_image::{Image, Source};
use kiln_store::Archive;
use libfuzzer_sys::fuzz_target;

/// Bytes of one blob that are looked at.
const BLOB_MAX: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let bytes = recipe::archive(bytes);
    let spool = std::env::temp_dir();
    let Ok(archive) = Archive::take("archive".as_ref(), &mut &*bytes, &spool) else { return };
    for (_, descriptor) in archive.images() {
        drop(archive.referrers(&descriptor.digest));
        let Ok(image) = Image::read(&archive, descriptor) else { continue };
        for layer in &image.manifest.layers {
            let Ok(content) = archive.open(layer) else { continue };
            let mut read = Vec::new();
            // What is read to its end is what its digest says.
            if content.take(BLOB_MAX).read_to_end(&mut read).is_ok() && (read.len() as u64) < BLOB_MAX {
                assert_eq!(kiln_oci::Digest::of(&read), layer.digest);
            }
        }
    }
});
