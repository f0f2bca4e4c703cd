//! Advisory ids in few bytes: a CVE id is its year and number, a GHSA or CGA id its twelve symbols at five bits each.

use crate::Error;
use crate::wire::{Reader, put_number, put_text};

/// The symbols of the last three parts of GHSA and CGA ids; any of base 32 would fit.
const SYMBOLS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
const FIRST_YEAR: u64 = 1990;

/// Start of the ids of packages that are malware. Source: OpenSSF, malicious-packages.
pub(crate) const MALWARE: &str = "MAL-";

/// Bytes of twelve symbols.
const PACKED: usize = 8;

const RAW: u8 = 0;
const CVE: u8 = 1;
const GHSA: u8 = 2;
const CGA: u8 = 3;

pub(crate) fn put_id(out: &mut Vec<u8>, id: &str) {
    let start = out.len();
    if let Some((year, number)) = cve_parts(id) {
        out.push(CVE);
        put_number(out, year - FIRST_YEAR);
        put_number(out, number);
    } else if let Some(packed) = id.strip_prefix("GHSA-").and_then(pack) {
        out.push(GHSA);
        out.extend_from_slice(&packed.to_le_bytes());
    } else if let Some(packed) = id.strip_prefix("CGA-").and_then(pack) {
        out.push(CGA);
        out.extend_from_slice(&packed.to_le_bytes());
    }
    let read_back =
        out.get(start..).is_some_and(|bytes| get_id(&mut Reader::new(bytes)).is_ok_and(|read| read == id));
    if !read_back {
        out.truncate(start);
        out.push(RAW);
        put_text(out, id);
    }
}

pub(crate) fn get_id(reader: &mut Reader<'_>) -> Result<String, Error> {
    Ok(match reader.byte()? {
        RAW => reader.text()?.to_owned(),
        CVE => {
            let (year, number) = (reader.number()?, reader.number()?);
            format!("CVE-{:04}-{number:04}", year.saturating_add(FIRST_YEAR))
        }
        GHSA => format!("GHSA-{}", unpack(reader)?),
        CGA => format!("CGA-{}", unpack(reader)?),
        _ => return Err(unknown()),
    })
}

/// Passes over an id.
pub(crate) fn skip_id(reader: &mut Reader<'_>) -> Result<(), Error> {
    match reader.byte()? {
        RAW => reader.text().map(drop),
        CVE => reader.number().and(reader.number()).map(drop),
        GHSA | CGA => reader.take(PACKED).map(drop),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::malformed("an id is of an unknown kind")
}

fn cve_parts(id: &str) -> Option<(u64, u64)> {
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let year = year.parse().ok().filter(|year| *year >= FIRST_YEAR)?;
    Some((year, number.parse().ok()?))
}

fn pack(text: &str) -> Option<u64> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    if symbols.len() != 12 {
        return None;
    }
    let index = |symbol: &u8| SYMBOLS.iter().position(|known| known == symbol);
    symbols.iter().try_fold(0, |packed, symbol| Some(packed << 5 | index(symbol)? as u64))
}

fn unpack(reader: &mut Reader<'_>) -> Result<String, Error> {
    let bytes: [u8; PACKED] =
        reader.take(PACKED)?.try_into().map_err(|_| Error::malformed("it ends early"))?;
    let packed = u64::from_le_bytes(bytes);
    let mut text = String::with_capacity(14);
    for at in 0..12 {
        if at == 4 || at == 8 {
            text.push('-');
        }
        let index = (packed >> (5 * (11 - at))) & 31;
        text.push(char::from(SYMBOLS[index as usize]));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_every_id() {
        let ids = [
            "CVE-1999-0001",
            "CVE-2026-21716",
            "CVE-2024-123456789",
            "CVE-2020-01",
            "GHSA-wc69-rhjr-hc9g",
            "CGA-296v-fx37-w4p4",
            "GHSA-short",
            "DSA-5380-1",
            "NSWG-CORE-1",
            "",
            "XSA-ü",
        ];
        for id in ids {
            let mut bytes = Vec::new();
            put_id(&mut bytes, id);
            assert_eq!(get_id(&mut Reader::new(&bytes)).unwrap(), id);
            let mut reader = Reader::new(&bytes);
            skip_id(&mut reader).unwrap();
            assert!(reader.byte().is_err());
        }
    }
}
