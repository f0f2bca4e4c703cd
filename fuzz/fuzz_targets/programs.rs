#![no_main]
//! Programs of Go and Rust: bytes behind the marks that their readers look for, also across the borders of what is read at once.

use std::io::Write as _;

use kiln_inventory::{combine, scan_layer};
use kiln_oci::Digest;
use kiln_rootfs::{LayerReader, Limits};
use libfuzzer_sys::fuzz_target;

const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let mut program = b"\x7fELF".to_vec();
    program.resize((128 << 10) - usize::from(*first), 0);
    match first % 4 {
        0 => program.extend_from_slice(rest),
        1 => program.extend([b"\xff Go buildinf:\x08\x02", &[0; 16][..], rest, START, rest, END].concat()),
        2 => {
            let mut zlib = flate2::write::ZlibEncoder::new(program, flate2::Compression::fast());
            zlib.write_all(b"{\"packages\":[{").and_then(|()| zlib.write_all(rest)).expect("memory");
            program = zlib.finish().expect("memory");
        }
        _ => {
            // The values around the version of V8 in a snapshot of Node.js.
            program.extend(
                [b"node.js/v24.1.0\0", rest, b"\x03\0\0\0\x13\0\0\x0013.6.233.17-node.53", rest].concat(),
            );
        }
    }
    program.resize(program.len().max(1 << 20) + 1, 0);
    let path = if first % 4 == 3 { "bin/node" } else { "bin/app" };
    let tar = kiln_fuzz::tar(&[(path, 0o755, &program)]);
    let facts = scan_layer(&mut LayerReader::new(&tar[..], Limits::default()), Digest::of(b"layer"))
        .expect("a layer");
    drop(combine(&[facts]));
});
