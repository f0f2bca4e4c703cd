//! Archives of images out of text that can be changed anywhere: headers, digests and sizes come out right, whatever stands in the
//! documents.
//!
//! A recipe is one letter (`z` packs the archive, `r` takes what follows as it is) and records, each `NAME 1f CONTENT`, with `1e`
//! between them. `$3` in a name or a content is the digest of the content of record 3 in hexadecimal, `%3` its size; only records
//! before count. `@` before a name makes a symbolic link to the content, `&` a hard link; `02` before a content packs it.

use crate::gzip;
use crate::hostile::block;

/// Records of one archive.
const RECORDS_MAX: usize = 10;
/// Bytes that digests may let a content grow to.
const CONTENT_MAX: usize = 1 << 16;

/// The archive of a recipe.
pub fn archive(recipe: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = recipe.split_first() else { return Vec::new() };
    match kind {
        b'r' => rest.to_vec(),
        b'z' => gzip(&tar(rest)),
        _ => tar(rest),
    }
}

fn tar(records: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut known = Vec::new();
    for record in records.split(|&byte| byte == 0x1e).take(RECORDS_MAX) {
        let at = record.iter().position(|&byte| byte == 0x1f).unwrap_or(record.len());
        let name = filled(&record[..at], &known);
        let content = filled(record.get(at + 1..).unwrap_or_default(), &known);
        let content = match content.split_first() {
            Some((2, rest)) => gzip(rest),
            _ => content,
        };
        let short = |bytes: &[u8]| bytes[..bytes.len().min(100)].to_vec();
        match name.split_first() {
            Some((b'@', name)) => block(&mut tar, b'2', &short(name), &short(&content), 0o777, b""),
            Some((b'&', name)) => block(&mut tar, b'1', &short(name), &short(&content), 0o644, b""),
            _ => block(&mut tar, b'0', &short(&name), b"", 0o644, &content),
        }
        known.push((kiln_oci::Digest::of(&content).hex(), content.len()));
    }
    tar.extend([0; 1024]);
    tar
}

/// `text` with digests and sizes in it.
fn filled(text: &[u8], known: &[(String, usize)]) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let which =
            after.first().filter(|digit| digit.is_ascii_digit()).map(|digit| usize::from(digit - b'0'));
        match (byte, which.and_then(|which| known.get(which))) {
            (b'$', Some((hex, _))) if filled.len() < CONTENT_MAX => filled.extend(hex.as_bytes()),
            (b'%', Some((_, size))) if filled.len() < CONTENT_MAX => {
                filled.extend(size.to_string().as_bytes())
            }
            _ => {
                filled.push(byte);
                continue;
            }
        }
        rest = &rest[1..];
    }
    filled
}
