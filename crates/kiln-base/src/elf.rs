//! The little of ELF that a base needs: which libraries a program wants, and dropping what no program loads.
//! Source: System V ABI, chapters 4 and 5. Only 64-bit little-endian files are read.

use std::borrow::Cow;

const SHF_ALLOC: u64 = 2;
const SHT_NOBITS: u32 = 8;
const SHT_STRTAB: u32 = 3;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const SECTION: usize = 64;
const SEGMENT: usize = 56;
const HEADER: usize = 64;

#[derive(Clone, Copy)]
struct Section {
    name: u32,
    kind: u32,
    flags: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry_size: u64,
    address: u64,
}

#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn is_elf64(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes.starts_with(b"\x7fELF\x02\x01\x01")
}

fn table(bytes: &[u8], start: u64, count: usize, size: usize) -> Option<&[u8]> {
    let start = usize::try_from(start).ok()?;
    bytes.get(start..start.checked_add(count.checked_mul(size)?)?)
}

fn segments(bytes: &[u8]) -> Option<Vec<Segment>> {
    let count = usize::from(u16_at(bytes, 56)?);
    if usize::from(u16_at(bytes, 54)?) != SEGMENT || count == 0xffff {
        return None;
    }
    let segment = |raw: &[u8]| {
        Some(Segment {
            kind: u32_at(raw, 0)?,
            offset: u64_at(raw, 8)?,
            address: u64_at(raw, 16)?,
            size: u64_at(raw, 32)?,
        })
    };
    table(bytes, u64_at(bytes, 32)?, count, SEGMENT)?.chunks_exact(SEGMENT).map(segment).collect()
}

fn sections(bytes: &[u8]) -> Option<Vec<Section>> {
    let count = usize::from(u16_at(bytes, 60)?);
    if usize::from(u16_at(bytes, 58)?) != SECTION || count < 2 {
        return None;
    }
    let section = |raw: &[u8]| {
        Some(Section {
            name: u32_at(raw, 0)?,
            kind: u32_at(raw, 4)?,
            flags: u64_at(raw, 8)?,
            address: u64_at(raw, 16)?,
            offset: u64_at(raw, 24)?,
            size: u64_at(raw, 32)?,
            link: u32_at(raw, 40)?,
            info: u32_at(raw, 44)?,
            align: u64_at(raw, 48)?,
            entry_size: u64_at(raw, 56)?,
        })
    };
    table(bytes, u64_at(bytes, 40)?, count, SECTION)?.chunks_exact(SECTION).map(section).collect()
}

/// `bytes` without the sections that are never loaded: symbols and debugging data.
///
/// What is loaded stays byte for byte, except the three fields of the header that say where the section table
/// is. A file that is laid out otherwise than linkers usually do comes back unchanged, as `None`.
pub(crate) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    if !is_elf64(bytes) {
        return None;
    }
    let sections = sections(bytes)?;
    let segments = segments(bytes)?;
    let end = loaded_end(bytes, &sections, &segments)?;
    let names = usize::from(u16_at(bytes, 62)?);
    let names = *sections.get(names).filter(|section| section.kind == SHT_STRTAB)?;
    let kept: Vec<usize> =
        (0..sections.len()).filter(|&index| index == 0 || sections[index].flags & SHF_ALLOC != 0).collect();
    let dropped_lies_behind = sections.iter().enumerate().all(|(index, section)| {
        kept.contains(&index) || section.kind == SHT_NOBITS || section.size == 0 || section.offset >= end
    });
    if !dropped_lies_behind || u64_at(bytes, 40)? < end {
        return None;
    }

    let mut output = bytes.get(..usize::try_from(end).ok()?)?.to_vec();
    let mut strings = vec![0];
    let mut rows = Vec::with_capacity(kept.len() + 1);
    for &index in &kept {
        let mut section = sections[index];
        if index != 0 {
            section.name = append(&mut strings, name(bytes, &names, section.name)?);
            section.link = renumber(&kept, section.link)?;
            // Only relocations for a section give `info` a section's number; it is 0 where there is none.
            if section.flags & 0x40 != 0 {
                section.info = renumber(&kept, section.info)?;
            }
        }
        rows.push(section);
    }
    let own_name = append(&mut strings, b".shstrtab");
    rows.push(Section {
        name: own_name,
        kind: SHT_STRTAB,
        flags: 0,
        address: 0,
        offset: end,
        size: strings.len() as u64,
        link: 0,
        info: 0,
        align: 1,
        entry_size: 0,
    });
    output.extend_from_slice(&strings);
    output.resize(output.len().next_multiple_of(8), 0);
    let start = output.len() as u64;
    for section in &rows {
        write(&mut output, section);
    }
    output[40..48].copy_from_slice(&start.to_le_bytes());
    output[60..62].copy_from_slice(&u16::try_from(rows.len()).ok()?.to_le_bytes());
    output[62..64].copy_from_slice(&u16::try_from(rows.len() - 1).ok()?.to_le_bytes());
    (output.len() < bytes.len()).then_some(output)
}

/// Where the last byte ends that anything loads or the program headers need.
fn loaded_end(bytes: &[u8], sections: &[Section], segments: &[Segment]) -> Option<u64> {
    let headers = u64_at(bytes, 32)?.checked_add((segments.len() * SEGMENT) as u64)?;
    let mut end = headers.max(HEADER as u64);
    for segment in segments {
        end = end.max(segment.offset.checked_add(segment.size)?);
    }
    for section in sections.iter().filter(|s| s.flags & SHF_ALLOC != 0 && s.kind != SHT_NOBITS) {
        end = end.max(section.offset.checked_add(section.size)?);
    }
    (end <= bytes.len() as u64).then_some(end)
}

fn name<'a>(bytes: &'a [u8], names: &Section, at: u32) -> Option<&'a [u8]> {
    let table = table(bytes, names.offset, usize::try_from(names.size).ok()?, 1)?;
    let rest = table.get(at as usize..)?;
    rest.split(|&byte| byte == 0).next()
}

fn append(strings: &mut Vec<u8>, name: &[u8]) -> u32 {
    let at = strings.len() as u32;
    strings.extend_from_slice(name);
    strings.push(0);
    at
}

fn renumber(kept: &[usize], index: u32) -> Option<u32> {
    kept.iter().position(|&old| old == index as usize).map(|new| new as u32)
}

fn write(output: &mut Vec<u8>, section: &Section) {
    output.extend_from_slice(&section.name.to_le_bytes());
    output.extend_from_slice(&section.kind.to_le_bytes());
    for word in [section.flags, section.address, section.offset, section.size] {
        output.extend_from_slice(&word.to_le_bytes());
    }
    output.extend_from_slice(&section.link.to_le_bytes());
    output.extend_from_slice(&section.info.to_le_bytes());
    output.extend_from_slice(&section.align.to_le_bytes());
    output.extend_from_slice(&section.entry_size.to_le_bytes());
}

/// The names of the shared libraries `bytes` asks for; `None` where it is no program that can be read.
pub(crate) fn needed(bytes: &[u8]) -> Option<Vec<Cow<'_, str>>> {
    if !is_elf64(bytes) {
        return None;
    }
    let segments = segments(bytes)?;
    let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
        return Some(Vec::new());
    };
    let entries = table(bytes, dynamic.offset, usize::try_from(dynamic.size).ok()?, 1)?;
    let pairs: Vec<(u64, u64)> = entries
        .chunks_exact(16)
        .filter_map(|pair| Some((u64_at(pair, 0)?, u64_at(pair, 8)?)))
        .take_while(|(tag, _)| *tag != 0)
        .collect();
    let strings = pairs.iter().find(|(tag, _)| *tag == DT_STRTAB)?.1;
    let load = segments.iter().find(|segment| {
        segment.kind == PT_LOAD
            && strings.checked_sub(segment.address).is_some_and(|into| into < segment.size)
    })?;
    let start = usize::try_from(load.offset.checked_add(strings - load.address)?).ok()?;
    let strings = bytes.get(start..)?;
    let wanted = pairs.iter().filter(|(tag, _)| *tag == DT_NEEDED);
    wanted
        .map(|(_, at)| {
            let rest = strings.get(usize::try_from(*at).ok()?..)?;
            Some(String::from_utf8_lossy(rest.split(|&byte| byte == 0).next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests;
