//! File capabilities, whose bytes name the user namespace they count in. Source: linux/capability.h,
//! `vfs_cap_data` and `vfs_ns_cap_data`.

/// The extended attribute.
pub(crate) const NAME: &str = "security.capability";

const REVISION: u32 = 0xff00_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
/// Without and with the id of root.
const SIZE_2: usize = 20;
const SIZE_3: usize = 24;

/// As layers hold it: good in whatever namespace the image runs in.
pub(crate) fn for_layer(value: &[u8]) -> Vec<u8> {
    match revision(value) {
        Some((REVISION_3, flags)) if value.len() == SIZE_3 => with_revision(value, REVISION_2 | flags),
        _ => value.to_vec(),
    }
}

/// As it counts in the namespace whose root is `first` outside.
pub(crate) fn for_namespace(value: &[u8], first: u32) -> Vec<u8> {
    match revision(value) {
        Some((REVISION_2, flags)) if value.len() == SIZE_2 => {
            let mut value = with_revision(value, REVISION_3 | flags);
            value.extend(first.to_le_bytes());
            value
        }
        _ => value.to_vec(),
    }
}

fn revision(value: &[u8]) -> Option<(u32, u32)> {
    let magic = u32::from_le_bytes(value.get(..4)?.try_into().ok()?);
    Some((magic & REVISION, magic & !REVISION))
}

fn with_revision(value: &[u8], magic: u32) -> Vec<u8> {
    let mut changed = magic.to_le_bytes().to_vec();
    changed.extend(&value[4..SIZE_2]);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_comes_and_goes() {
        let mut layer = vec![1, 0, 0, 2];
        layer.extend([7; 16]);
        let inside = for_namespace(&layer, 0x0102_0304);
        assert_eq!((inside.len(), &inside[..4], &inside[20..]), (24, &[1, 0, 0, 3][..], &[4, 3, 2, 1][..]));
        assert_eq!(for_layer(&inside), layer);
        assert_eq!(for_layer(b"odd"), b"odd");
    }
}
