use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Owner};

pub(super) static RULE: Rule = Rule {
    id: "DF044",
    slug: "code_is_writable",
    title: "The app can change its own code",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF044.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(uid) = stage.end.uid(stage.base).filter(|uid| *uid != 0) else { return };
    for chain in subject.model.final_chain() {
        for step in &chain.steps {
            let transfer = match &step.instruction.command {
                Command::Copy(copy) => &copy.transfer,
                Command::Add(add) => &add.transfer,
                Command::Run(_) => {
                    own_by_command(step, stage, sink);
                    continue;
                }
                _ => continue,
            };
            let Some(chown) = &transfer.chown else { continue };
            let Some(owner) = Owner::parse(&chown.value) else { continue };
            let owner = match owner.user {
                kiln_dockerfile::Id::Number(number) => Some(number),
                kiln_dockerfile::Id::Name(name) => {
                    let base = stage
                        .base
                        .filter(|base| base.account.as_deref() == Some(&name))
                        .and_then(|base| base.account_uid);
                    base.or_else(|| stage.end.accounts.get(&name)?.uid)
                }
            };
            let dest = step.before.resolve(&transfer.dest.value);
            if owner != Some(uid) || !is_code(&dest, &stage.end.workdir) {
                continue;
            }
            let Some(flag) = step.instruction.flag("chown") else { continue };
            let end = subject.file.text.get(flag.span.end..).map_or(flag.span.end, |rest| {
                flag.span.end + (rest.len() - rest.trim_start_matches(' ').len())
            });
            sink.at(flag.span, "the user that runs the app owns its code, and so does who breaks into it")
                .help("leave code to root; give the user only folders that the app writes")
                .not_safe(
                    "leave the code to root",
                    vec![Edit::replace(kiln_dockerfile::Span::new(flag.span.start, end), "")],
                );
        }
    }
}

fn own_by_command(step: &crate::model::Step<'_>, stage: &crate::model::StageModel<'_>, sink: &mut Sink<'_>) {
    for command in step
        .commands()
        .iter()
        .filter(|command| command.program() == "chown" && command.has_flag(&["-R", "--recursive", "-Rf"]))
    {
        let paths: Vec<String> =
            command.operands().skip(1).map(|word| step.before.resolve(&word.value)).collect();
        if paths.iter().any(|path| path == &stage.end.workdir && path != "/") {
            sink.at(
                step.command(command),
                "the user that runs the app owns its code, and so does who breaks into it",
            )
            .help("leave code to root; give the user only folders that the app writes");
        }
    }
}

/// Whether what is copied there is what runs, and not a folder that the app writes.
fn is_code(dest: &str, workdir: &str) -> bool {
    const OF_CODE: [&str; 10] =
        ["node_modules", "dist", "build", "src", "lib", ".next", ".output", "public", "packages", "apps"];
    let name = dest.rsplit('/').next().unwrap_or_default();
    if matches!(name, "data" | "tmp" | "cache" | "uploads" | "logs" | "storage" | "db") {
        return false;
    }
    dest == workdir
        || dest.split('/').any(|part| OF_CODE.contains(&part))
        || dest.split('.').next_back().is_some_and(|end| matches!(end, "js" | "mjs" | "cjs" | "json" | "ts"))
}
