use crate::model::{StageModel, Step};
use crate::shell::SimpleCommand;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF070",
    slug: "package_hygiene",
    title: "Packages of the distribution leave more behind than they need to",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3009", "DL3014", "DL3015", "DL3019", "DS-0017", "DS-0021", "DS-0025", "DS-0029"],
    page: include_str!("../../tests/rules/DF070.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable() {
        for step in &stage.steps {
            let Command::Run(run) = &step.instruction.command else { continue };
            let has_cache = run.mounts.iter().any(|mount| mount.raw.value.contains("type=cache"));
            let cleans = step.commands().iter().any(|command| {
                command.program() == "rm"
                    && command.words.iter().any(|word| word.value.contains("/var/lib/apt/lists"))
            });
            let apt: Vec<&SimpleCommand> = step
                .commands()
                .iter()
                .filter(|command| matches!(command.program(), "apt-get" | "apt"))
                .collect();
            let installs: Vec<&&SimpleCommand> =
                apt.iter().filter(|command| verb(command) == "install").collect();
            for command in &installs {
                apt_install(stage, step, command, sink);
            }
            if stage.is_final
                && !cleans
                && !has_cache
                && let Some(last) = step.commands().last().filter(|_| !installs.is_empty())
            {
                let finding = sink.at(step.command(installs[0]), "the lists of packages stay in the layer");
                finding.help("end with `rm -rf /var/lib/apt/lists/*`");
                if step.can_edit(last)
                    && step.instruction.heredocs.is_empty()
                    && last.redirects.is_empty()
                    && last.depth == 0
                {
                    let edit = Edit::insert(step.command(last).end, " && rm -rf /var/lib/apt/lists/*");
                    finding.safe("remove them", vec![edit]);
                }
            }
            if let ([only], 1) = (apt.as_slice(), step.commands().len())
                && verb(only) == "update"
            {
                sink.at(
                    step.command(only),
                    "the result of this step is kept, and later installs use old lists",
                )
                .level(Level::Warning)
                .help("put it into the RUN that installs: apt-get update && apt-get install …");
            }
            for command in step
                .commands()
                .iter()
                .filter(|command| stage.is_final && command.program() == "apk" && verb(command) == "add")
            {
                if !command.has_flag(&["--no-cache", "--root", "-p"]) && !has_cache {
                    let finding = sink.at(step.command(command), "the index of packages stays in the layer");
                    finding.help("apk add --no-cache");
                    if let Some(word) = command.operands().next().filter(|_| step.can_edit(command)) {
                        finding
                            .safe("add --no-cache", vec![Edit::insert(step.word(word).end, " --no-cache")]);
                    }
                }
            }
        }
    }
}

fn verb(command: &SimpleCommand) -> &str {
    command.operands().next().map_or("", |word| word.value.as_str())
}

fn apt_install(stage: &StageModel<'_>, step: &Step<'_>, command: &SimpleCommand, sink: &mut Sink<'_>) {
    let Some(word) = command.operands().next() else { return };
    let is_yes = command.args().iter().any(|arg| {
        matches!(*arg, "--yes" | "--assume-yes" | "--quiet=2" | "-qq")
            || (arg.starts_with('-') && !arg.starts_with("--") && (arg.contains('y') || arg.contains("qq")))
    });
    if !is_yes {
        let finding = sink.at(step.command(command), "it asks whether to go on, and nobody answers");
        finding.level(Level::Warning).help("apt-get install -y");
        if step.can_edit(command) {
            finding.safe("add -y", vec![Edit::insert(step.word(word).end, " -y")]);
        }
        return;
    }
    let is_lean = command.has_flag(&["--no-install-recommends"])
        || command.args().iter().any(|arg| arg.contains("Install-Recommends"));
    if stage.is_final && !is_lean {
        let finding = sink.at(step.command(command), "packages that are only recommended are installed too");
        finding.help("apt-get install --no-install-recommends");
        if step.can_edit(command) {
            finding.not_safe(
                "add --no-install-recommends",
                vec![Edit::insert(step.word(word).end, " --no-install-recommends")],
            );
        }
    }
}
