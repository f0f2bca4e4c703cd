//! Which line of Node.js an app is built for and runs on.

use kiln_node::{AppFacts, NodeRequest, PackageJson};
use kiln_pkg::version::{Range, SemVer};

use crate::error::ErrorKind;
use crate::{Error, Overrides, Reason};

/// Node.js lines kiln composes, the preferred one first.
const NODE_LINES: [u32; 4] = [PREFERRED_LINE, 22, 26, 20];
/// The line that apps get which ask for none.
pub(crate) const PREFERRED_LINE: u32 = 24;
/// Lines whose end is near or past, and their last day. Source: nodejs/Release, schedule.json.
const ENDING: [(u32, &str); 1] = [(20, "2026-04-30")];
/// Code names of lines in long-term support. Source: nodejs/Release, schedule.json.
const CODE_NAMES: [(&str, u32); 6] =
    [("gallium", 16), ("hydrogen", 18), ("iron", 20), ("jod", 22), ("krypton", 24), ("lithium", 26)];
/// What asks for a range that others may narrow.
const ENGINES: &str = "engines.node";

/// The line of Node that a package asks for, if it asks.
pub fn node_line(package: &PackageJson) -> Option<u32> {
    package.node_range()?;
    let node_requests = NodeRequest::all(package, &[]);
    let facts = AppFacts { package: package.clone(), node_requests, ..AppFacts::default() };
    choose_node(&facts, &Overrides::default(), &mut Vec::new()).ok()
}

/// The line that the app is built for and runs on: one that `engines.node` takes, and of those the one that a file for version managers
/// or another field of package.json asks for.
pub(crate) fn choose_node(
    facts: &AppFacts,
    overrides: &Overrides,
    reasons: &mut Vec<Reason>,
) -> Result<u32, Error> {
    if let Some(node) = overrides.node {
        reasons.push(Reason::new("Node.js", node.to_string(), "kiln.toml or a flag says so"));
        return Ok(node);
    }
    let engines = facts.package.node_range();
    let open: Vec<u32> =
        NODE_LINES.into_iter().filter(|line| engines.is_none_or(|range| fits(range, *line))).collect();
    let narrower: Vec<&NodeRequest> =
        facts.node_requests.iter().filter(|request| request.by != ENGINES).collect();
    let asked = narrower.iter().find_map(|request| {
        let line = open.iter().find(|line| fits(&request.range, **line))?;
        Some((*line, format!("{} asks for {}", request.by, request.range)))
    });
    let by_engines = || {
        let range = engines?;
        Some((*open.first()?, format!("{ENGINES} is {range}")))
    };
    let odd = || {
        after_odd(engines?).map(|line| {
            (line, format!("{ENGINES} is {}, which is out of support", engines.unwrap_or_default()))
        })
    };
    let preferred = || {
        engines
            .is_none()
            .then(|| (PREFERRED_LINE, format!("it is the line in long-term support, and {ENGINES} is open")))
    };
    let (line, because) = asked
        .or_else(by_engines)
        .or_else(odd)
        .or_else(preferred)
        .ok_or_else(|| ErrorKind::NoNode { range: engines.unwrap_or_default().to_owned() })?;
    reasons.push(Reason::new("Node.js", line.to_string(), because));
    tell(&narrower, line, reasons);
    Ok(line)
}

/// What asks for another line, and that the one which was taken ends.
fn tell(narrower: &[&NodeRequest], line: u32, reasons: &mut Vec<Reason>) {
    for request in narrower.iter().filter(|request| !fits(&request.range, line)) {
        let because = format!("{} asks for Node.js {}, and the image has {line}", request.by, request.range);
        reasons.push(Reason::told("Node.js", "differs", because));
    }
    for (_, day) in ENDING.iter().filter(|(ending, _)| *ending == line) {
        let because = format!("Node.js {line} gets fixes until {day}: move to {PREFERRED_LINE}");
        reasons.push(Reason::told("Node.js", "ends", because));
    }
}

/// Whether what asks for Node takes some release of a line: its first or its last. What nobody understands takes the preferred one.
fn fits(asked: &str, line: u32) -> bool {
    let asked = asked.trim();
    let bare = asked.strip_prefix(['v', 'V']).unwrap_or(asked);
    if let Some(name) = bare.strip_prefix("lts/") {
        let named = CODE_NAMES.iter().find(|(known, _)| *known == name.to_lowercase());
        return named.map_or(PREFERRED_LINE, |(_, line)| *line) == line;
    }
    let Some(range) = Range::parse(bare) else { return line == PREFERRED_LINE };
    // `22.14` and `22.14.1` name a release; the image has the newest of its line.
    let is_release = bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let of_release = is_release && bare.split('.').next() == Some(line.to_string().as_str());
    of_release || [0, 999].into_iter().any(|minor| range.contains(&SemVer::new(u64::from(line), minor, 0)))
}

/// The line after one that never had long-term support: 24 for `23.x`.
fn after_odd(asked: &str) -> Option<u32> {
    let odd = [21, 23, 25].into_iter().find(|line| fits(asked, *line))?;
    NODE_LINES.contains(&(odd + 1)).then_some(odd + 1)
}
