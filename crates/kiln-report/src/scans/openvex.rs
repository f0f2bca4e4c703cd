use kiln_attest::{VEX_JUSTIFICATIONS, Vex, VexProduct, VexStatement, VexStatus};
use kiln_oci::Digest;
use kiln_pkg::Purl;
use kiln_vuln::{Match, Suppression, Verdict};

use super::{Scan, words};
use crate::Stamp;
use crate::clean::line as plain;

/// OpenVEX 0.2.0: what VEX documents, distributions and exceptions took out, as one document that other scanners apply; what is left
/// is under investigation, which takes nothing out.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let of_scan = |scan: &Scan| -> Vec<VexStatement> {
        let taken = scan.report.suppressed.iter().map(|taken| statement(scan, &taken.found, Some(&taken.by)));
        taken.chain(scan.report.matches.iter().map(|found| statement(scan, found, None))).collect()
    };
    let statements: Vec<VexStatement> = scans.iter().flat_map(of_scan).collect();
    let author = format!("kiln {}", stamp.version);
    let mut vex = Vex { id: String::new(), author, statements };
    // The same statements have the same name, whoever asks again.
    vex.id = format!("urn:uuid:{}", uuid(&Digest::of(vex.to_openvex("").to_string().as_bytes())));
    vex.to_openvex(&stamp.time).to_string()
}

/// A version 8 one (RFC 9562), whose bits are the digest's.
fn uuid(digest: &Digest) -> String {
    let hex = digest.hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn statement(scan: &Scan, found: &Match, by: Option<&Suppression>) -> VexStatement {
    let mut statement = VexStatement {
        ids: found.ids().map(plain).collect(),
        products: vec![product(scan, found)],
        status: VexStatus::UnderInvestigation,
        justification: None,
        impact: None,
        action: None,
        notes: None,
        time: None,
    };
    let notes = match by {
        None => words::fix(found),
        Some(by) => plain(&by.explain()),
    };
    match by {
        None => {}
        Some(Suppression::Vex { status, .. }) if status == VexStatus::Fixed.as_str() => {
            statement.status = VexStatus::Fixed;
        }
        Some(Suppression::Distribution { verdict: Verdict::Fixed, .. }) => {
            statement.status = VexStatus::Fixed;
        }
        Some(Suppression::Vex { reason, .. }) => {
            statement.status = VexStatus::NotAffected;
            let reason = reason.as_deref().unwrap_or("it gives no reason");
            // One or the other, never both.
            if VEX_JUSTIFICATIONS.contains(&reason) {
                statement.justification = Some(reason.to_owned());
            } else {
                statement.impact = Some(plain(reason));
            }
        }
        Some(Suppression::Distribution { verdict: Verdict::NotAffected, .. }) => {
            statement.status = VexStatus::NotAffected;
            statement.impact = Some(notes.clone());
        }
        // Who accepts a risk does not say that there is none.
        Some(Suppression::Exception { .. }) => {
            statement.status = VexStatus::Affected;
            statement.action = Some(format!("accepted: {notes}"));
        }
    }
    statement.notes = Some(notes);
    statement
}

/// The package in the image; the package alone where there is no image.
fn product(scan: &Scan, found: &Match) -> VexProduct {
    let Some(digest) = scan.digest else {
        return VexProduct { ids: vec![found.package.clone()], parts: Vec::new() };
    };
    let name = scan.name.rsplit('/').next().unwrap_or_default();
    let name = name.split([':', '@']).next().unwrap_or_default();
    let purl = Purl {
        kind: "oci".to_owned(),
        name: if name.is_empty() { "image".to_owned() } else { plain(&name.to_ascii_lowercase()) },
        version: Some(digest.to_string()),
        ..Purl::default()
    };
    VexProduct { ids: vec![purl.to_string()], parts: vec![vec![found.package.clone()]] }
}
