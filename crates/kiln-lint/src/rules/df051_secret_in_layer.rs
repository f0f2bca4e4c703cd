use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF051",
    slug: "secret_in_layer",
    title: "A secret is in a layer of the image",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF051.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const FILES: [&str; 12] = [
        ".npmrc",
        ".yarnrc",
        ".netrc",
        "id_rsa",
        "id_ed25519",
        "id_ecdsa",
        ".env",
        ".env.local",
        ".env.production",
        ".git-credentials",
        ".pypirc",
        "credentials.json",
    ];
    for step in subject.model.final_chain().flat_map(|stage| &stage.steps) {
        match &step.instruction.command {
            Command::Copy(copy) if copy.from.is_none() => {
                for path in copy.transfer.paths() {
                    let name = path.value.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                    if FILES.contains(&name) {
                        let finding = sink.at(
                            path.span,
                            format!("{name} becomes part of the image, also when a later step deletes it"),
                        );
                        finding.help("mount it for the step that needs it: RUN --mount=type=secret,id=npmrc,target=/root/.npmrc …");
                        let is_rc = matches!(name, ".npmrc" | ".yarnrc");
                        if is_rc && subject.context.is_none() {
                            // It may hold settings only.
                            finding.level(Level::Warning);
                        }
                    }
                }
            }
            Command::Run(run) => {
                let has_secret = run.mounts.iter().any(|mount| mount.raw.value.contains("type=secret"));
                let mounted = |file: &str| run.mounts.iter().any(|mount| mount.raw.value.contains(file));
                for command in step.commands() {
                    let text = command.words.iter().any(|word| {
                        let value = word.value.to_lowercase();
                        value.contains("_authtoken")
                            || value.contains(":_password")
                            || value.contains(":_auth=")
                    });
                    let target = command.redirects.iter().find(|redirect| redirect.operator.contains('>'));
                    let is_set = matches!(command.program(), "npm" | "yarn" | "pnpm")
                        && command.args().first() == Some(&"config")
                        && text;
                    let is_written = text && target.is_some();
                    let name = target.map_or(".npmrc", |redirect| redirect.target.value.as_str());
                    if (is_set || is_written) && !mounted(name.rsplit('/').next().unwrap_or(name)) {
                        let how = if has_secret {
                            "the secret is written to a file, and the file"
                        } else {
                            "the credential in this file"
                        };
                        sink.at(step.command(command), format!("{how} becomes part of the image, also when a later step deletes it"))
                            .help("mount the file for the step that needs it: RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci");
                    }
                }
            }
            _ => {}
        }
    }
}
