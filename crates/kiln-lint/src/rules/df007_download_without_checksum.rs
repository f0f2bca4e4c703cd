use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF007",
    slug: "download_without_checksum",
    title: "A downloaded file is not checked",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF007.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        match &step.instruction.command {
            Command::Add(add) if add.checksum.is_none() => {
                let is_file = |path: &str| {
                    (path.starts_with("https://") || path.starts_with("http://"))
                        && !path.split(['#', '?', '/']).any(|part| part.split('.').next_back() == Some("git"))
                };
                if let Some(path) = add.transfer.paths().find(|path| is_file(&path.value)) {
                    sink.at(path.span, "nothing checks what is downloaded")
                        .help("add --checksum=sha256:… before it");
                }
            }
            Command::Run(_) => run(step, sink),
            _ => {}
        }
    }
}

fn run(step: &crate::model::Step<'_>, sink: &mut Sink<'_>) {
    const CHECKERS: [&str; 10] = [
        "sha256sum",
        "sha512sum",
        "shasum",
        "md5sum",
        "gpg",
        "gpgv",
        "cosign",
        "openssl",
        "minisign",
        "b2sum",
    ];
    const KINDS: [&str; 9] =
        [".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip", ".deb", ".apk", ".gz", "-amd64"];
    let commands = step.commands();
    if commands.iter().any(|command| CHECKERS.contains(&command.program())) {
        return;
    }
    for command in commands.iter().filter(|command| matches!(command.program(), "curl" | "wget")) {
        let is_kept = command.program() == "wget"
            || command.has_flag(&[
                "-o",
                "-O",
                "--output",
                "--remote-name",
                "-LO",
                "-fsSLO",
                "-sSLO",
                "-sLO",
                "-fLO",
                "-SLO",
            ])
            || !command.redirects.is_empty();
        let url = command.words.iter().find(|word| {
            word.value.starts_with("http")
                && KINDS.iter().any(|kind| word.value.split('?').next().unwrap_or_default().ends_with(kind))
        });
        if let Some(url) = url.filter(|_| is_kept) {
            sink.at(step.word(url), "nothing checks what is downloaded")
                .help("compare it with a known checksum: echo \"<sha256>  file\" | sha256sum -c -");
        }
    }
}
