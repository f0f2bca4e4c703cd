//! Which line of Node.

use kiln_lint::facts::{line, recommended};

use crate::answer::{Choice, Obstacle};
use crate::target::NodeTag;
use crate::{Project, Recipe, RewriteTarget};

/// The line of Node, and how it is written in a tag.
pub(crate) fn node(
    project: &Project,
    recipe: &Recipe,
    choice: &Choice,
    target: &RewriteTarget,
    notes: &mut Vec<String>,
) -> Result<NodeTag, Obstacle> {
    let best = recommended(&choice.today);
    let found = recipe.node();
    // Where nobody asks for a line, what the target has is fine.
    let open = || {
        if target.lines.is_empty() || target.lines.contains(&best) {
            best
        } else {
            target.lines[target.lines.len() - 1]
        }
    };
    let asked = found.or_else(|| kiln_plan::node_line(&project.facts.package)).unwrap_or_else(open);
    let is_over = line(asked).is_some_and(|line| line.end.as_str() < choice.today.as_str());
    let is_there = |major: u32| target.lines.is_empty() || target.lines.contains(&major);
    if (is_over || !is_there(asked)) && choice.may_change_node {
        let best = if is_there(best) { best } else { target.lines.last().copied().unwrap_or(best) };
        if best != asked {
            notes.push(format!("Node {asked} became Node {best}: test the app with it"));
        }
        return Ok(NodeTag { major: best, version: best.to_string() });
    }
    if !is_there(asked) {
        let have = target.lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        return Err(Obstacle::new(format!(
            "{} has Node {have}, and the app runs on Node {asked}; pass --unsafe to change that, or --to slim",
            target.name
        )));
    }
    if is_over {
        notes.push(format!("Node {asked} gets no fixes any more; --unsafe moves to Node {best}"));
    }
    Ok(NodeTag { major: asked, version: version(recipe, asked) })
}

/// What stands before the first dash of the tag, where that is a version.
fn version(recipe: &Recipe, major: u32) -> String {
    let written = recipe.build.written.split('@').next().unwrap_or_default();
    let tag = written.rsplit_once(':').map_or("", |(_, tag)| tag).split('-').next().unwrap_or_default();
    let expanded = recipe.build.name.tag_words().first().copied().unwrap_or_default().to_owned();
    let is_version = |text: &str| {
        text.starts_with(&major.to_string()) && text.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    let is_node = recipe.build.name.name == "node";
    let is_variable = tag.starts_with("${")
        && tag.ends_with('}')
        && recipe.build.name.tag_words().len() == written.matches('-').count() + 1;
    match () {
        () if is_node && is_version(tag) => tag.to_owned(),
        () if is_node && is_variable && is_version(&expanded) => tag.to_owned(),
        () if is_node && is_version(&expanded) => expanded,
        () => major.to_string(),
    }
}
