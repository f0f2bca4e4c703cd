//! What holds for every cataloger of the table.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::cataloger::{Candidate, Cataloger};
use super::{CATALOGERS, PROGRAMS, cataloger_examples, find};
use crate::tests::{layer, stack};

/// A file that is large enough and executable enough for everybody.
fn candidate(path: &str) -> Candidate<'_> {
    Candidate { path, size: 64 << 20, mode: 0o755 }
}

fn all() -> impl Iterator<Item = &'static Cataloger> {
    CATALOGERS.iter().copied().chain([PROGRAMS])
}

#[test]
fn each_wants_its_examples_and_nobody_else_does() {
    for cataloger in all() {
        assert!(!cataloger.examples.is_empty(), "{}", cataloger.name);
        for path in cataloger.examples {
            let candidate = candidate(path);
            assert_eq!(find(&candidate).map(|found| found.name), Some(cataloger.name), "{path}");
            let wanting = CATALOGERS.iter().filter(|other| (other.wants)(&candidate)).count();
            assert!(wanting <= 1, "{path}: no two of the table want the same");
            assert!((cataloger.wants)(&candidate), "{path}");
        }
    }
}

#[test]
fn names_are_told_apart() {
    let names: BTreeSet<&str> = all().map(|cataloger| cataloger.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn an_empty_file_holds_no_package_but_what_its_name_says() {
    for path in cataloger_examples() {
        let inventory = stack(&[layer(|tree| tree.insert_file(path, 0o755, &b""[..]).unwrap())]);
        let is_named = inventory.packages.iter().all(|package| path.contains(&package.version));
        assert!(is_named, "{path}: {:?}", inventory.packages);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The name promises something, and the content is of somebody else.
    #[test]
    fn hostile_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        for path in cataloger_examples() {
            stack(&[layer(|tree| tree.insert_file(path, 0o755, bytes.clone()).unwrap())]);
        }
    }
}
