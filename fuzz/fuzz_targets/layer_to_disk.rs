#![no_main]
//! A hostile layer on a real disk, as what lies below a command and as an archive that is unpacked, and back. A folder of
//! secrets beside it stays as it is, and nothing of it is read.

use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use kiln_fuzz::hostile::{self, Picks};
use kiln_fuzz::jail::{Jail, holds_no_secret};
use kiln_rootfs::{Content, Delta, Kind, LayerReader, Limits, write_delta};
use kiln_sandbox::{Ids, Placing, User, read_upper, remove, unpack, write_upper};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { entries: 1000, bytes: 1 << 20 };

static JAIL: LazyLock<Jail> = LazyLock::new(Jail::new);

fn read(tar: &[u8]) -> Option<Delta> {
    let mut reader = LayerReader::new(tar, LIMITS);
    let delta = Delta::read(&mut reader, &mut |_, bytes| {
        let mut content = Vec::new();
        drop(bytes.take(1 << 16).read_to_end(&mut content));
        Ok(Content::Bytes(content.into()))
    });
    delta.ok()
}

/// Looks at what is in the cell as at what a command left.
fn look(cell: &Path, written: Option<&Delta>) {
    let found = read_upper(cell, Ids::One, &User::default());
    if let Ok(found) = &found {
        holds_no_secret(&found.tree);
        // A name that is a mark is refused when it is written.
        if let Ok(tar) = write_delta(found, Vec::new(), 0) {
            let again = read(&tar).expect("what is written is read");
            holds_no_secret(&again.tree);
        }
    }
    if let Some(written) = written {
        let found = found.expect("what kiln has written it reads");
        for (path, entry) in written.tree.iter().filter(|(path, _)| !path.is_root()) {
            let there = found.tree.get(path).unwrap_or_else(|| panic!("{path} is not there"));
            assert!(is_alike(&there.kind, &entry.kind), "{path}: {:?} became {:?}", entry.kind, there.kind);
        }
    }
}

/// Of two names of one file, either may be the link.
fn is_alike(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::File(a), Kind::File(b)) => a.size() == b.size(),
        (Kind::Symlink(a), Kind::Symlink(b)) => a == b,
        (Kind::Dir, Kind::Dir) => true,
        (Kind::File(_) | Kind::Hardlink(_), Kind::File(_) | Kind::Hardlink(_)) => true,
        _ => false,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let tar = hostile::tar(&mut Picks(bytes), &JAIL.out());
    let Some(delta) = read(&tar) else { return };
    let cell = JAIL.cell();
    let is_written = write_upper(&delta, &cell, Ids::One, Placing::Copy).is_ok();
    JAIL.holds();
    look(&cell, is_written.then_some(&delta));
    remove(&cell).expect("what kiln has written it removes");
    drop(unpack(&delta.tree, &cell));
    JAIL.holds();
    look(&cell, None);
    remove(&cell).expect("what kiln has written it removes");
    JAIL.holds();
});
