#![no_main]
//! A Debian package whose checksum is right, whatever it holds: ar, tar, gzip, xz and zstd, and composing from it.

use kiln_base::{Variant, compose};
use kiln_fuzz::Archives;
use kiln_oci::Arch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let archives = Archives::new(bytes.to_vec(), Vec::new());
    drop(compose(&archives.lock(), Arch::Amd64, Variant::Runtime, &archives));
});
