use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF052",
    slug: "context_leaks_secrets",
    title: "Secrets of the folder can get into the image",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF052.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(step) =
        subject.model.steps().map(|(_, step)| step).find(|step| match &step.instruction.command {
            Command::Copy(copy) => {
                copy.from.is_none()
                    && copy.transfer.paths().any(|path| matches!(path.value.as_str(), "." | "./" | "/" | "*"))
            }
            Command::Add(add) => add.transfer.paths().any(|path| matches!(path.value.as_str(), "." | "./")),
            _ => false,
        })
    else {
        return;
    };
    let is_secret = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_env = name == ".env"
            || (name.starts_with(".env.")
                && !name.ends_with(".example")
                && !name.ends_with(".sample")
                && !name.ends_with(".template"));
        is_env
            || matches!(name, ".npmrc" | "id_rsa" | "id_ed25519" | "id_ecdsa" | ".netrc" | ".git-credentials")
            || [".pem", ".key", ".p12", ".pfx"].iter().any(|end| name.ends_with(end))
            || path.starts_with(".aws/")
            || path.starts_with(".ssh/")
            || path.starts_with(".git/")
            || **path == ".git"
    };
    let found: Vec<&str> = context
        .files
        .iter()
        .filter(is_secret)
        .filter(|path| !context.is_ignored(path))
        .map(String::as_str)
        .collect();
    if let [first, ..] = found.as_slice() {
        let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
        sink.at(step.instruction.head, format!("it copies {first}{more}"))
            .help("name them in .dockerignore, or copy only what the app needs");
    } else if context.ignore.is_none() {
        sink.at(step.instruction.head, "there is no .dockerignore, so it copies whatever lies there")
            .level(Level::Warning)
            .help("write one: .git, **/node_modules, **/.env*, **/.npmrc, **/*.pem, **/*.key");
    } else if !context.is_ignored(".env") {
        sink.at(
            step.instruction.head,
            ".dockerignore does not leave out .env, so it is copied as soon as there is one",
        )
        .level(Level::Warning)
        .help("add **/.env* to .dockerignore");
    }
}
