use super::*;

/// A file with one loaded segment, a dynamic section that names two libraries, and a symbol table behind it.
fn program() -> Vec<u8> {
    let mut file = vec![0; 0x200];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let put = |file: &mut Vec<u8>, at: usize, value: u64, size: usize| {
        file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    };
    put(&mut file, 32, 64, 8);
    put(&mut file, 54, 56, 2);
    put(&mut file, 56, 2, 2);
    for (index, kind, offset, size) in [(0, 1, 0, 0x200), (1, 2, 0x100, 0x40)] {
        let at = 64 + index * 56;
        put(&mut file, at, kind, 4);
        put(&mut file, at + 8, offset, 8);
        put(&mut file, at + 16, 0x40_0000 + offset, 8);
        put(&mut file, at + 32, size, 8);
    }
    for (index, (tag, value)) in [(1, 1), (1, 11), (5, 0x40_0180), (0, 0)].into_iter().enumerate() {
        put(&mut file, 0x100 + index * 16, tag, 8);
        put(&mut file, 0x108 + index * 16, value, 8);
    }
    file[0x181..0x18a].copy_from_slice(b"libc.so.6");
    file[0x18b..0x194].copy_from_slice(b"libm.so.6");
    file.extend_from_slice(&[0x55; 0x100]);
    file.extend_from_slice(b"\0.text\0.symtab\0.names\0\0\0");
    let start = file.len() as u64;
    let mut section = |name: u32, kind, flags, offset, size| {
        super::write(
            &mut file,
            &Section {
                name,
                kind,
                flags,
                offset,
                size,
                link: 0,
                info: 0,
                align: 1,
                entry_size: 0,
                address: 0,
            },
        );
    };
    section(0, 0, 0, 0, 0);
    section(1, 1, 2, 0x100, 0x80);
    section(7, 2, 0, 0x200, 0x100);
    section(15, 3, 0, 0x300, 24);
    put(&mut file, 40, start, 8);
    put(&mut file, 58, 64, 2);
    put(&mut file, 60, 4, 2);
    put(&mut file, 62, 3, 2);
    file
}

#[test]
fn strips_what_is_not_loaded_and_keeps_the_rest() {
    let before = program();
    let after = strip(&before).expect("the usual layout");
    assert!(after.len() + 0x100 <= before.len());
    assert_eq!(after[64..0x200], before[64..0x200]);
    let kept = sections(&after).unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(name(&after, &kept[2], kept[1].name), Some(&b".text"[..]));
    assert_eq!(name(&after, &kept[2], kept[2].name), Some(&b".shstrtab"[..]));
    assert_eq!(needed(&after), needed(&before));
    assert_eq!(strip(&after), None, "there is nothing left to strip");
}

#[test]
fn finds_the_libraries_it_needs() {
    assert_eq!(needed(&program()).unwrap(), ["libc.so.6", "libm.so.6"]);
    assert_eq!(needed(b"#!/bin/sh\n"), None);
}

#[test]
fn an_unusual_layout_stays_as_it_is() {
    let mut inside = program();
    let start = u64_at(&inside, 40).unwrap() as usize;
    inside[start + 2 * 64 + 24..start + 2 * 64 + 32].copy_from_slice(&0x40_u64.to_le_bytes());
    assert_eq!(strip(&inside), None);
    assert_eq!(strip(b"plain text"), None);
}

#[test]
fn no_damage_makes_it_panic() {
    let file = program();
    for at in 0..file.len() {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = file.clone();
            damaged[at] = value;
            let _ = (strip(&damaged), needed(&damaged));
        }
        let _ = (strip(&file[..at]), needed(&file[..at]));
    }
}
