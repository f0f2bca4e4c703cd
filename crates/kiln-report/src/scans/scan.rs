use kiln_oci::Digest;
use kiln_pkg::Inventory;
use kiln_policy::ExceptionUse;
use kiln_vuln::{Date, Plan, Report, VexUse};

/// One image (or folder, or bill of materials), and what was found in it.
#[derive(Clone, Debug)]
pub struct Scan {
    /// As the user named it.
    pub name: String,
    /// Of its manifest, where it has one.
    pub digest: Option<Digest>,
    /// What it holds.
    pub inventory: Inventory,
    /// What was found.
    pub report: Report,
    /// What became of VEX statements.
    pub vex: Vec<VexUse>,
    /// VEX documents on the image that were not looked into, because no key says whose are believed.
    pub vex_unverified: usize,
    /// What became of exceptions.
    pub exceptions: Vec<ExceptionUse>,
    /// What to change, where that was asked.
    pub plan: Option<Plan>,
}

/// When and by what a document is written.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Ages are counted to this day.
    pub today: Date,
    /// RFC 3339, in UTC, to the second.
    pub time: String,
    /// Version of kiln.
    pub version: String,
}

/// A format for scans: a static in a file of its own, listed in [`crate::SCAN_FORMATS`].
#[derive(Debug)]
pub struct ScanFormat {
    /// As `--format` knows it.
    pub name: &'static str,
    /// It can hold only one image.
    pub one: bool,
    /// The whole text.
    pub render: fn(&[Scan], &Stamp) -> String,
}
