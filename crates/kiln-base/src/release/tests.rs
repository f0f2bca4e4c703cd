use kiln_finding::Diagnose as _;

use super::*;
use crate::testing::{NOW, SigningKey, in_release};

fn read(bytes: &[u8], keys: &[&str]) -> Result<Release, Error> {
    Release::read("trixie", bytes, keys, Timestamp::from_second(NOW).unwrap())
}

fn fields(change: impl Fn(&str) -> String) -> String {
    change(
        "Origin: Debian\nCodename: trixie\nDate: Fri, 20 Nov 2026 00:00:00 UTC\n\
         Valid-Until: Fri, 27 Nov 2026 00:00:00 UTC\nAcquire-By-Hash: yes\nSHA256:\n \
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n",
    )
}

#[test]
fn a_signed_release_is_read() {
    let key = SigningKey::new();
    let release = read(&in_release(&key, &fields(str::to_owned)), &[&key.public]).unwrap();
    assert!(release.by_hash);
    assert_eq!(release.date, "2026-11-20T00:00:00Z");
    assert_eq!(release.file("main/binary-amd64/Packages").unwrap().1, 0);
    assert!(release.file("main/binary-arm64/Packages").is_err());
}

#[test]
fn a_changed_byte_or_another_key_is_refused() {
    let (key, other) = (SigningKey::new(), SigningKey::new());
    let signed = in_release(&key, &fields(str::to_owned));
    let at = signed.windows(6).position(|window| window == b"Origin").unwrap();
    for offset in [0, 40, 100, 200] {
        let mut tampered = signed.clone();
        tampered[at + offset] ^= 1;
        assert_eq!(read(&tampered, &[&key.public]).unwrap_err().code(), "base.release_signature", "{offset}");
    }
    assert_eq!(read(&signed, &[&other.public]).unwrap_err().code(), "base.release_signature");
    let unsigned = fields(str::to_owned);
    assert_eq!(read(unsigned.as_bytes(), &[&key.public]).unwrap_err().code(), "base.release_signature");
    let mut prefixed = b"Origin: Debian\n".to_vec();
    prefixed.extend_from_slice(&signed);
    assert!(read(&prefixed, &[&key.public]).is_err());
}

#[test]
fn what_is_signed_must_still_fit() {
    let key = SigningKey::new();
    for (from, to, code) in [
        ("27 Nov 2026", "20 Nov 2026", "base.release_expired"),
        ("Date: Fri, 20 Nov 2026", "Date: Sun, 20 Dec 2026", "base.release_from_the_future"),
        ("Codename: trixie", "Codename: bookworm", "base.release"),
        ("Origin: Debian", "Origin: Somebody", "base.release"),
        ("SHA256:", "SHA1:", "base.release"),
    ] {
        let text = fields(|text| text.replace(from, to));
        let error = read(&in_release(&key, &text), &[&key.public]).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn the_keys_of_debian_can_be_read_and_are_valid() {
    let now = Timestamp::from_second(NOW).unwrap();
    for armoured in crate::keys::DEBIAN {
        let (key, _) = SignedPublicKey::from_string(armoured).unwrap();
        let about = own_signatures(&key);
        assert!(!about.is_empty() && !expired(key.primary_key.created_at().as_secs(), &about, now));
        let late = Timestamp::from_second(NOW + 20 * 365 * 86400).unwrap();
        assert!(expired(key.primary_key.created_at().as_secs(), &about, late));
    }
}
