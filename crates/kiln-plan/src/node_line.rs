use kiln_node::{AppFacts, PackageJson};
use kiln_pkg::version::{Range, SemVer};

use crate::error::ErrorKind;
use crate::{Error, Overrides, Reason};

/// Node.js lines kiln composes, the preferred one first.
const NODE_LINES: [u32; 4] = [PREFERRED_LINE, 22, 26, 20];
/// The line that apps get which ask for none.
pub(crate) const PREFERRED_LINE: u32 = 24;

/// The line of Node that a package asks for, if it asks.
pub fn node_line(package: &PackageJson) -> Option<u32> {
    package.node_range()?;
    let facts = AppFacts { package: package.clone(), ..AppFacts::default() };
    choose_node(&facts, &Overrides::default(), &mut Vec::new()).ok()
}

/// The line that the app is built for and runs on.
pub(crate) fn choose_node(
    facts: &AppFacts,
    overrides: &Overrides,
    reasons: &mut Vec<Reason>,
) -> Result<u32, Error> {
    if let Some(node) = overrides.node {
        reasons.push(Reason::new("Node.js", node.to_string(), "kiln.toml or a flag says so"));
        return Ok(node);
    }
    let Some(range) = facts.package.node_range() else {
        reasons.push(Reason::new(
            "Node.js",
            "24",
            "it is the line in long-term support, and engines.node is open",
        ));
        return Ok(NODE_LINES[0]);
    };
    let fits = |line: &u32| {
        let Some(parsed) = Range::parse(range) else { return *line == NODE_LINES[0] };
        // A range that takes any release of a line takes its first or its last.
        [0, 999].into_iter().any(|minor| parsed.contains(&SemVer::new(u64::from(*line), minor, 0)))
    };
    let node =
        NODE_LINES.into_iter().find(fits).ok_or_else(|| ErrorKind::NoNode { range: range.to_owned() })?;
    reasons.push(Reason::new("Node.js", node.to_string(), format!("engines.node is {range}")));
    Ok(node)
}
