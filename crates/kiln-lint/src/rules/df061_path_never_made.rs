use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, has_wildcard};

pub(super) static RULE: Rule = Rule {
    id: "DF061",
    slug: "path_never_made",
    title: "Nothing in that stage makes the path that is copied",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF061.md"),
    check,
};

/// Folders that most images have, or that installs write to.
const USUAL: [&str; 16] = [
    "bin", "sbin", "lib", "lib64", "usr", "etc", "var", "opt", "tmp", "root", "run", "nodejs", "srv", "mnt",
    "dev", "nix",
];

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let Command::Copy(copy) = &step.instruction.command else { continue };
        let Some(source) = subject
            .model
            .copied_from(step)
            .filter(|source| source.base.is_some() && !source.end.has_foreign_files)
        else {
            continue;
        };
        for path in copy.transfer.paths() {
            let text = path.value.as_str();
            if has_wildcard(text) || text.contains(['$', '"', '\'']) || copy.parents {
                continue;
            }
            // A source is always looked for from the root.
            let wanted = format!("/{}", text.trim_start_matches('/').trim_end_matches('/'));
            let first = wanted.split('/').nth(1).unwrap_or_default();
            let below = |path: &str, folder: &str| {
                path == folder || path.starts_with(&format!("{}/", folder.trim_end_matches('/')))
            };
            let is_known = source.end.touched.iter().any(|touched| {
                let is_root = touched == "/";
                (is_root && !matches!(first, "home" | "app" | "usr"))
                    || (!is_root && (below(&wanted, touched) || below(touched, &wanted)))
            });
            if is_known || USUAL.contains(&first) || first.is_empty() {
                continue;
            }
            // What a script does elsewhere is not known; a path that is mentioned is.
            let mentions = source.steps.iter().any(|step| {
                step.instruction.original.contains(&format!("/{first}"))
                    || step
                        .instruction
                        .heredocs
                        .iter()
                        .any(|heredoc| heredoc.content.contains(&format!("/{first}")))
            });
            let is_home = first == "home" && wanted.matches('/').count() <= 2;
            if is_home || (mentions && first != "home" && first != "app") {
                continue;
            }
            let folder = source.end.workdir.clone();
            sink.at(path.span, format!("nothing in stage {} writes to {wanted}", source.label()))
                .label(source.instruction.head, format!("this stage works in {folder}"))
                .help(format!(
                    "did you mean {}/{}?",
                    folder.trim_end_matches('/'),
                    wanted.rsplit('/').next().unwrap_or_default()
                ));
        }
    }
}
