use std::path::PathBuf;

use kiln_images::Machine;

/// The file below the data folder.
const FILE: &str = "trust.json";

/// Where what was published is kept.
pub(super) fn path(machine: &Machine) -> PathBuf {
    machine.data_dir.join(FILE)
}
