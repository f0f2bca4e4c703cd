use kiln_oci::Digest;
use kiln_trust::TrustReport;

/// What is said about an image, and whether that is what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// What was found.
    pub report: &'a TrustReport,
    /// What the name stands for: the image, or the index that holds it.
    pub root: &'a Digest,
    /// The rules that were asked, each in a sentence, the most specific first.
    pub asked: &'a [String],
}
