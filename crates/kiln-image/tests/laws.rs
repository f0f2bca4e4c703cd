//! Laws of packing: one member, the right bytes, and the same bytes at any number of threads.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};

use kiln_image::{GzipWriter, pack_layer};
use kiln_oci::Digest;
use kiln_rootfs::Tree;
use proptest::prelude::*;

/// Bytes that compress somewhat, so that blocks refer back across their borders.
fn text(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(size + 16);
    while bytes.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(format!("line {}\n", (state >> 33) % 5000).as_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn gzip(bytes: &[u8], threads: usize, step: usize) -> Vec<u8> {
    let mut writer = GzipWriter::new(Vec::new(), threads);
    for piece in bytes.chunks(step.max(1)) {
        writer.write_all(piece).unwrap();
    }
    writer.finish().unwrap()
}

/// Reads the first member only, as strict readers do.
fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    decoder.read_to_end(&mut plain).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes follow the member");
    plain
}

#[test]
fn sizes_around_the_block_border() {
    for size in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let plain = text(size, 7);
        let packed = gzip(&plain, 2, 1 << 16);
        assert_eq!(gunzip(&packed), plain, "{size}");
        assert_eq!(packed, gzip(&plain, 1, 4097), "{size}");
    }
}

#[test]
fn a_layer_knows_its_digests() {
    let mut tree = Tree::new();
    tree.insert_file("app/index.js", 0o644, text(3 << 20, 3)).unwrap();
    let (bytes, layer) = pack_layer(&tree, 0, 2, Vec::new()).unwrap();
    assert_eq!(layer.descriptor.digest, Digest::of(&bytes));
    assert_eq!(layer.descriptor.size, bytes.len() as u64);
    let tar = gunzip(&bytes);
    assert_eq!(layer.diff_id, Digest::of(&tar));
    assert_eq!(layer.tar_size, tar.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn threads_do_not_matter(size in 0_usize..(3 << 20), seed: u64, threads in 1_usize..5, step in 1_usize..(2 << 20)) {
        let plain = text(size, seed);
        let packed = gzip(&plain, threads, step);
        prop_assert_eq!(gunzip(&packed), plain.clone());
        prop_assert_eq!(packed, gzip(&plain, 1, usize::MAX));
    }
}
