use kiln_policy::{ExceptionUse, Line, Scorecard};

use super::summary::{in_full, mark, parts, verdict, word};
use crate::Stamp;
use crate::documents::markdown::escape;

pub(crate) fn render(card: &Scorecard, _: &Stamp) -> String {
    let subject = &card.subject;
    let mut lines = vec![
        format!("## {}: {}", escape(&subject.name), verdict(card)),
        String::new(),
        format!("{}, profile {}, {}.", card.result(), escape(&card.profile), card.today),
        String::new(),
        format!("- `{}` {}", subject.digest, escape(&subject.platform)),
    ];
    lines.extend(parts(&card.summary).iter().map(|part| format!("- {}", escape(part))));
    lines.push(String::new());
    lines.push("| | Check | What | Why |".to_owned());
    lines.push("|---|---|---|---|".to_owned());
    lines.extend(card.lines.iter().map(row));
    if !card.exceptions.is_empty() {
        lines.extend(["", "### Exceptions", ""].map(str::to_owned));
        lines.extend(card.exceptions.iter().map(exception));
    }
    lines.join("\n") + "\n"
}

fn row(line: &Line) -> String {
    let cure = line.cure.as_ref().map(|cure| format!("<br>**fix:** {}", escape(cure))).unwrap_or_default();
    format!(
        "| {} {} | {} | {} | {}{cure} |",
        mark(line.outcome),
        word(line.outcome),
        line.id,
        escape(&line.title),
        escape(&in_full(line))
    )
}

fn exception(used: &ExceptionUse) -> String {
    let exception = &used.exception;
    format!(
        "- **{}**: {} for {}, by {}, until {}: {}",
        used.state.as_str(),
        escape(&exception.id),
        escape(&exception.subject),
        escape(&exception.owner),
        exception.expires,
        escape(&exception.reason)
    )
}
