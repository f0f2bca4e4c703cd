use kiln_oci::Digest;
use kiln_pkg::Inventory;
use kiln_policy::ExceptionUse;
use kiln_vuln::{Plan, VexUse, VulnerabilityReport};

/// One image (or folder, or SBOM), and what was found in it.
#[derive(Clone, Debug)]
pub struct Scan {
    /// As the user named it.
    pub name: String,
    /// Of its manifest, where it has one.
    pub digest: Option<Digest>,
    /// What it holds.
    pub inventory: Inventory,
    /// What was found.
    pub report: VulnerabilityReport,
    /// What became of VEX statements.
    pub vex: Vec<VexUse>,
    /// VEX documents on the image that were not looked into, because no key says whose are believed.
    pub vex_unverified: usize,
    /// What became of exceptions.
    pub exceptions: Vec<ExceptionUse>,
    /// What to change, where that was asked.
    pub plan: Option<Plan>,
}
