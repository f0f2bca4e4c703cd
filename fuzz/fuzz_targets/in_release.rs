#![no_main]
//! The signed index of an archive, up to its signature: nothing that is made up gets past it.

use kiln_base::{Request, resolve};
use kiln_fuzz::Release;
use kiln_oci::Arch;
use libfuzzer_sys::fuzz_target;

/// 2026-11-21.
const NOW: i64 = 1_795_219_200;

fuzz_target!(|bytes: &[u8]| {
    let request = Request { builder: false, ..Request::new(vec![Arch::Amd64]) };
    assert!(resolve(&request, &Release(bytes), NOW).is_err(), "made up, and yet signed");
});
