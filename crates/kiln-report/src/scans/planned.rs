//! What to change, for people.

use kiln_vuln::{Plan, Step};

use crate::clean::line;

pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> =
        plan.steps.iter().enumerate().flat_map(|(at, planned)| step(at + 1, planned)).collect();
    let remaining = if plan.remains.is_empty() { "none".to_owned() } else { plan.remains.len().to_string() };
    lines.extend([String::new(), format!("after this remain {remaining}")]);
    let left = plan.remains.iter().map(|left| format!("     {} in {}: {}", left.id, left.package, left.why));
    lines.extend(left.map(|text| line(&text)));
    lines
}

fn step(number: usize, step: &Step) -> Vec<String> {
    let mut lines =
        vec![String::new(), line(&format!("{number}. {} (removes {})", step.what, step.removes.len()))];
    lines.extend(step.removes.iter().map(|removed| line(&format!("     {removed}"))));
    lines.extend(step.caution.iter().map(|caution| line(&format!("   careful: {caution}"))));
    let edit = step.edit.iter().flat_map(|edit| edit.lines());
    lines.extend(edit.map(|edit| line(&format!("       {edit}"))));
    lines
}
