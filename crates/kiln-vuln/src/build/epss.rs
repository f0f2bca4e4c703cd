//! FIRST's list of probabilities: `#model_version:…,score_date:…`, a header, then `cve,epss,percentile`.

use std::collections::BTreeMap;

use crate::error::ErrorKind;
use crate::score::Epss;
use crate::{Date, Error};

/// How the file begins, with or without its comment.
pub(super) const STARTS: [&str; 2] = ["#model_version", "cve,epss,percentile"];

/// The probabilities by CVE, and the day they are of.
pub(super) fn read(name: &str, text: &str) -> Result<(BTreeMap<String, Epss>, Option<Date>), Error> {
    let mut found = BTreeMap::new();
    let mut day = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(comment) = line.strip_prefix('#') {
            let date = comment.split(',').find_map(|part| part.strip_prefix("score_date:"));
            day = date.and_then(|date| date.parse().ok());
            continue;
        }
        if line.is_empty() || line.starts_with("cve,") {
            continue;
        }
        let row = row(line).ok_or_else(|| ErrorKind::Line { feed: name.to_owned(), line: at + 1 })?;
        found.insert(row.0, row.1);
    }
    Ok((found, day))
}

fn row(line: &str) -> Option<(String, Epss)> {
    let mut fields = line.split(',');
    let cve = fields.next().filter(|cve| cve.starts_with("CVE-"))?;
    let mut number = || {
        let value: f64 = fields.next()?.trim().parse().ok()?;
        (0.0..=1.0).contains(&value).then_some(value)
    };
    let (score, percentile) = (number()?, number()?);
    Some((cve.to_owned(), Epss { score: score.into(), percentile: percentile.into() }))
}
