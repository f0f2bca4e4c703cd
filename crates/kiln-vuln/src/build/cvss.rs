use kiln_finding::Severity;

/// The severity a CVSS 3 base vector stands for. Source: CVSS v3.1 specification, §5 and §7.1.
pub(super) fn severity(vector: &str) -> Option<Severity> {
    let score = base_score(vector)?;
    Some(match score {
        score if score >= 9.0 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::Negligible,
    })
}

fn base_score(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.").and_then(|rest| rest.split_once('/'))?.1;
    let metric =
        |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let changed = metric("S")? == "C";
    let weight = |name: &str, weights: &[(&str, f64)]| {
        let value = metric(name)?;
        weights.iter().find(|(letter, _)| *letter == value).map(|(_, weight)| *weight)
    };
    let privileges: &[(&str, f64)] = if changed {
        &[("N", 0.85), ("L", 0.68), ("H", 0.5)]
    } else {
        &[("N", 0.85), ("L", 0.62), ("H", 0.27)]
    };
    let exploitability = 8.22
        * weight("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?
        * weight("AC", &[("L", 0.77), ("H", 0.44)])?
        * weight("PR", privileges)?
        * weight("UI", &[("N", 0.85), ("R", 0.62)])?;
    let impacts = [("H", 0.56), ("L", 0.22), ("N", 0.0)];
    let kept =
        (1.0 - weight("C", &impacts)?) * (1.0 - weight("I", &impacts)?) * (1.0 - weight("A", &impacts)?);
    let lost = 1.0 - kept;
    let impact = if changed { 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02).powi(15) } else { 6.42 * lost };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let sum = (impact + exploitability) * if changed { 1.08 } else { 1.0 };
    Some((sum.min(10.0) * 10.0 - 1e-6).ceil() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_what_the_specification_scores() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", 6.5),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            assert!((base_score(vector).unwrap() - score).abs() < 0.01, "{vector}");
        }
        assert_eq!(severity("CVSS:4.0/AV:N"), None);
    }
}
