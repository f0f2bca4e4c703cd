use kiln_vuln::{Database, Date, SliceInfo};

use crate::Table;

/// What advisories there are: a row for each feed, and what none of them names.
pub fn feeds(database: &Database<'_>, today: Date) -> String {
    let mut table =
        Table::new(&["SLICE", "ADVISORIES", "PACKAGES", "COMPLETE TO", "AGE", "RELEASES", "SOURCE"]);
    for slice in database.slices() {
        let age = format!("{} days", slice.as_of.age(today));
        table.row(vec![
            slice.name.clone(),
            slice.advisories.to_string(),
            slice.packages.to_string(),
            slice.as_of.to_string(),
            age,
            releases(slice),
            slice.source.clone(),
        ]);
    }
    std::iter::once(table.render()).chain(lacks(database)).collect::<Vec<_>>().join("\n")
}

/// What the advisories say nothing of, a line each.
fn lacks(database: &Database<'_>) -> Vec<String> {
    let feeds = || database.slices().iter().filter(|slice| slice.ecosystem.is_some());
    let names = |is: &dyn Fn(&SliceInfo) -> bool| {
        feeds().filter(|slice| is(slice)).map(|slice| slice.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let malware = names(&|slice| slice.malware > 0);
    let unjudged = names(&|slice| slice.judged == Some(0));
    let malware = if malware.is_empty() {
        "malware is named by none of these feeds".to_owned()
    } else {
        format!("malware is named by {malware}")
    };
    let unjudged = (!unjudged.is_empty()).then(|| format!("severities are given by all but {unjudged}"));
    std::iter::once(malware).chain(unjudged).collect()
}

fn releases(slice: &SliceInfo) -> String {
    let names: Vec<&str> = slice
        .releases
        .iter()
        .filter(|release| release.complete && !release.name.is_empty())
        .map(|release| release.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "-".to_owned(),
        names if names.len() > 4 => format!("{} of them", names.len()),
        names => names.join(" "),
    }
}
