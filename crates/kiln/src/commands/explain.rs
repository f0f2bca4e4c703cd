use kiln_finding::Failure;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::explained::{self, Chapter, Topic};
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> =
    Command { order: 5, project: |_| None, uses_folders: false, ..Command::new("explain", Group::Look, run) };

/// Explain a check, a rule, a finding or an error: what it means, why, and what to do; without an ID, list them
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id or name, such as IM001, DF023, `last_user_root`, shell or registry.denied; or what hadolint, BuildKit or Docker Scout
    /// call it, such as DL3002 or JSONArgsRecommended
    id: Option<String>,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let chapters = explained::chapters();
    let Some(name) = &args.id else {
        output::data(&match context.format {
            Format::Human => listed(&chapters),
            Format::Json => {
                let all = chapters.iter().flat_map(|chapter| {
                    let kind = chapter.kind;
                    chapter
                        .topics
                        .iter()
                        .map(move |topic| json!({"id": topic.id, "kind": kind, "title": topic.title}))
                });
                json!(all.collect::<Vec<_>>()).to_string()
            }
        });
        return Ok(Outcome::Fine);
    };
    let ids = explained::ids(name);
    let topics: Vec<&Topic> =
        chapters.iter().flat_map(|chapter| &chapter.topics).filter(|topic| ids.contains(&topic.id)).collect();
    if topics.is_empty() {
        let names = explained::names();
        let guess = kiln_finding::did_you_mean(name, names.iter().copied());
        return Err(Failure::usage(format!(
            "explain `{name}`: there is no check, rule, finding or error of that name"
        ))
        .with_help(guess.unwrap_or_else(|| "`kiln explain` lists all, such as IM001 and DF023".to_owned())));
    }
    output::data(&match context.format {
        Format::Human => topics.iter().map(|topic| page(topic)).collect::<Vec<_>>().join("\n\n"),
        Format::Json => {
            let all =
                topics.iter().map(|topic| json!({"id": topic.id, "title": topic.title, "page": page(topic)}));
            json!(all.collect::<Vec<_>>()).to_string()
        }
    });
    Ok(Outcome::Fine)
}

fn page(topic: &Topic) -> String {
    match topic.page {
        Some(page) => without_cases(page),
        None => format!("# {}\n\n{}", topic.id, topic.title),
    }
}

/// A page without the evidence of its cases, which only its test reads; what kiln says to each of them stays.
fn without_cases(page: &str) -> String {
    let mut is_case = false;
    let mut lines: Vec<&str> = Vec::new();
    for line in page.lines() {
        is_case |= line.starts_with("```toml ");
        let is_second_blank = line.is_empty() && lines.last().is_some_and(|last| last.is_empty());
        if !is_case && !is_second_blank {
            lines.push(line);
        }
        is_case &= line != "```";
    }
    lines.join("\n").trim_end().to_owned()
}

fn listed(chapters: &[Chapter]) -> String {
    let chapter = |chapter: &Chapter| {
        let width = chapter.topics.iter().map(|topic| topic.id.len()).max().unwrap_or_default();
        let lines = chapter.topics.iter().map(|topic| {
            let start = format!("  {:width$}  ", topic.id);
            output::wrapped(&start, topic.title, width + 4)
        });
        std::iter::once(chapter.title.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
    };
    chapters.iter().map(chapter).collect::<Vec<_>>().join("\n\n")
}
