//! One file per command: its arguments and `run`. This file is only the table of them.

mod attest;
mod base;
mod build;
mod check;
mod copy;
mod db;
mod doctor;
mod explain;
mod fix;
mod images;
mod keygen;
mod lint;
mod plan;
mod prune;
mod pull;
mod push;
mod rm;
mod sbom;
mod scan;
mod ship;
mod sign;
mod trust;
mod verify;
mod version;

use crate::command::Entry;

/// Every command, by name.
pub(crate) static COMMANDS: &[&dyn Entry] = &[
    &attest::COMMAND,
    &base::COMMAND,
    &build::COMMAND,
    &check::COMMAND,
    &copy::COMMAND,
    &db::COMMAND,
    &doctor::COMMAND,
    &explain::COMMAND,
    &fix::COMMAND,
    &images::COMMAND,
    &keygen::COMMAND,
    &lint::COMMAND,
    &plan::COMMAND,
    &prune::COMMAND,
    &pull::COMMAND,
    &push::COMMAND,
    &rm::COMMAND,
    &sbom::COMMAND,
    &scan::COMMAND,
    &ship::COMMAND,
    &sign::COMMAND,
    &trust::COMMAND,
    &verify::COMMAND,
    &version::COMMAND,
];
