use crate::shell::Joined;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF008",
    slug: "download_into_shell",
    title: "A download is run by a shell as it arrives",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["DL4006"],
    page: include_str!("../../tests/rules/DF008.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const SHELLS: [&str; 8] = ["sh", "bash", "ash", "dash", "zsh", "node", "python3", "python"];
    for (_, step) in subject.model.steps() {
        let commands = step.commands();
        for (at, pair) in commands.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let is_piped = after.joined == Joined::Pipe
                && matches!(before.program(), "curl" | "wget")
                && SHELLS.contains(&after.program());
            // `sh -c "$(curl …)"`: the substitution comes first.
            let is_substituted = before.depth > after.depth
                && matches!(before.program(), "curl" | "wget")
                && SHELLS.contains(&after.program())
                && after
                    .words
                    .iter()
                    .any(|word| word.value.contains("$(curl") || word.value.contains("$(wget"));
            if is_piped || is_substituted {
                let _ = at;
                sink.at(
                    step.command(before).to(step.command(after)),
                    "whatever the server sends is run as part of the build",
                )
                .help("download a version, compare its checksum, then run it; or install a package");
            }
        }
    }
}
