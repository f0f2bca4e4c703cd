//! Under a filter that answers `openat2` with ENOSYS, as kernels and container runtimes do that do not know it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod suite;

use std::collections::BTreeMap;

use seccompiler::{SeccompAction, SeccompFilter, apply_filter};

/// One test, as the filter is for good.
#[test]
fn the_same_holds() {
    let rules = BTreeMap::from([(libc::SYS_openat2, Vec::new())]);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let refuse = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
    suite::nothing_leaves();
    suite::links_lead_to_the_root_of_the_folder();
    suite::what_is_made_is_there();
    suite::removal_goes_as_deep_as_it_must();
}
