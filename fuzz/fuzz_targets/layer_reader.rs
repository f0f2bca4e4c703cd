#![no_main]
//! A layer tar, as it is and as if compressed: entries, their content, and whatever follows.

use std::io::Read;

use kiln_rootfs::{LayerReader, Limits, decompress};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { entries: 10_000, bytes: 16 << 20 };

fn read(input: impl Read) {
    let mut layer = LayerReader::new(input, LIMITS);
    let mut content = Vec::new();
    while let Ok(Some(entry)) = layer.next_entry() {
        assert!(entry.path.parts().all(|part| part != ".." && !part.is_empty()), "{} escapes", entry.path);
        content.clear();
        if entry.path.as_str().len() % 2 == 0 {
            drop((&mut layer).take(1 << 20).read_to_end(&mut content));
        }
    }
    drop(layer.drain());
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Ok(input) = decompress(bytes) {
        read(input.take(16 << 20));
    }
});
