use super::*;
use crate::testing::{deb, files, gzip};

fn paths(deb: &Deb) -> Vec<&str> {
    deb.files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn every_compression_is_read() {
    let data = files(&[("usr/bin/a", 0o755, "hello"), ("usr/bin/b", 0, "-> a")]);
    for compression in ["xz", "gz", "zst", ""] {
        let found = read("a", &deb("a", &data, compression)).unwrap();
        assert_eq!(paths(&found), ["usr", "usr/bin", "usr/bin/a", "usr/bin/b"], "{compression}");
        assert!(found.control.starts_with("Package: a\n"));
        assert!(found.md5sums.contains("usr/bin/gone"));
    }
}

#[test]
fn damaged_packages_are_named_errors() {
    let good = deb("a", &files(&[("x", 0o644, "x")]), "gz");
    for end in [0, 7, 8, 30, 70, 100, 200, good.len() - 20] {
        assert!(read("a", &good[..end]).is_err(), "{end}");
    }
    assert!(read("a", b"not ar at all").is_err());
}

#[test]
fn a_path_cannot_escape() {
    let mut tar = files(&[("aa/passwd", 0o644, "x")]);
    // The same length, so only the name and the checksum of the header change.
    let at = tar.windows(9).position(|window| window == b"aa/passwd").unwrap();
    tar[at..at + 2].copy_from_slice(b"..");
    let header = at / 512 * 512;
    tar[header + 148..header + 156].fill(b' ');
    let sum: u32 = tar[header..header + 512].iter().map(|&byte| u32::from(byte)).sum();
    tar[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let error = read_tar("a", &tar[..]).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("climbs out"), "{error:?}");
    assert!(read_tar("a", GzDecoder::new(&gzip(b"short")[..5])).is_err());
}
