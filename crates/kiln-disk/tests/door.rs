//! With everything that this kernel has.
#![expect(clippy::unwrap_used, reason = "tests")]

mod suite;

#[test]
fn nothing_leaves() {
    suite::nothing_leaves();
}

#[test]
fn links_lead_to_the_root_of_the_folder() {
    suite::links_lead_to_the_root_of_the_folder();
}

#[test]
fn what_is_made_is_there() {
    suite::what_is_made_is_there();
}

#[test]
fn removal_goes_as_deep_as_it_must() {
    suite::removal_goes_as_deep_as_it_must();
}
