use kiln_oci::Digest;
use kiln_pkg::Inventory;
use kiln_policy::ExceptionUse;
use kiln_vuln::{Match, Plan, VexUse, VulnerabilityReport};

/// One image (or folder, or SBOM), and what was found in it.
#[derive(Clone, Debug)]
pub struct Scan {
    /// As the user named it.
    pub name: String,
    /// Of its manifest, where it has one.
    pub digest: Option<Digest>,
    /// What it holds.
    pub inventory: Inventory,
    /// What was found and is to be shown.
    pub report: VulnerabilityReport,
    /// What was found and is not to be shown, because only some was asked for.
    pub hidden: Vec<Match>,
    /// What was asked for, where that is not everything: `of severity high, with a fix`.
    pub asked: Option<String>,
    /// What became of VEX statements.
    pub vex: Vec<VexUse>,
    /// VEX documents on the image that were not looked into, because no key says whose are believed.
    pub vex_unverified: usize,
    /// What became of exceptions.
    pub exceptions: Vec<ExceptionUse>,
    /// What to change, where that was asked.
    pub plan: Option<Plan>,
}

impl Scan {
    /// Shows only what `is_wanted` says yes to; the rest is said to be there.
    pub fn hide(&mut self, is_wanted: impl Fn(&Match) -> bool) {
        let (shown, hidden): (Vec<Match>, Vec<Match>) =
            std::mem::take(&mut self.report.matches).into_iter().partition(is_wanted);
        self.report.matches = shown;
        self.hidden.extend(hidden);
    }
}
