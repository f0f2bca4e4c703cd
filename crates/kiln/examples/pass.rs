//! The least that any reader of an image must do: decompress each layer once and hash what comes out.
//! `bench/run scan` measures `kiln scan` against it. Arguments: compressed layers as files.

use std::fs::File;
use std::io::{self, Read, Write};

use kiln_oci::HashingWriter;
use kiln_rootfs::decompress;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args_os().skip(1) {
        let mut plain = decompress(File::open(&path)?)?;
        let mut hashed = HashingWriter::new(io::sink());
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = plain.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hashed.write_all(&buffer[..count])?;
        }
        let (_, digest, bytes) = hashed.finish();
        writeln!(io::stdout(), "{digest} {bytes}")?;
    }
    Ok(())
}
