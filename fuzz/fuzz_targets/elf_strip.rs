#![no_main]
//! A Node binary, whatever it holds: the reader of ELF files takes symbols out of it and looks for its libraries.

use kiln_base::{Variant, compose};
use kiln_fuzz::{Archives, gzip, small_deb, tar};
use kiln_oci::Arch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let tarball = tar(&[("package/bin/node", 0o755, bytes), ("package/LICENSE", 0o644, b"MIT")]);
    let archives = Archives::new(small_deb(), gzip(&tarball));
    drop(compose(&archives.lock(), Arch::Amd64, Variant::Runtime, &archives));
});
