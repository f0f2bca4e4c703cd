use crate::model::package_command;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF065",
    slug: "no_absolute_folder",
    title: "The working folder is not set, or depends on the base",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3000", "DL3045", "WorkdirRelativePath", "DS-0009", "CKV_DOCKER_10"],
    page: include_str!("../../tests/rules/DF065.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable() {
        let mut is_absolute = stage.parent.is_some();
        let mut is_reported = false;
        for step in &stage.steps {
            match &step.instruction.command {
                Command::Workdir(folder) => {
                    let text = folder.value.trim_matches('"');
                    if !text.starts_with(['/', '$']) && !is_absolute && !step.before.has_workdir {
                        sink.at(folder.span, format!("`{text}` begins where the base happens to be"))
                            .help(format!("write WORKDIR /{text}"))
                            .not_safe(
                                format!("write WORKDIR /{text}"),
                                vec![Edit::insert(folder.span.start, "/")],
                            );
                    }
                    is_absolute = true;
                }
                // What is not known may have a folder of its own.
                _ if step.before.has_workdir || is_reported || stage.base.is_none() && !stage.is_scratch => {}
                Command::Copy(copy) => {
                    let dest = copy.transfer.dest.value.as_str();
                    if !dest.starts_with(['/', '$', '"']) {
                        is_reported = true;
                        sink.at(copy.transfer.dest.span, "without WORKDIR this is the root of the image")
                            .help("write WORKDIR /app before");
                    }
                }
                Command::Run(_)
                    if step.commands().iter().any(|command| {
                        package_command(command).is_some_and(|package| package.is_install())
                    }) =>
                {
                    let goes = step.commands().iter().any(|command| command.program() == "cd")
                        || step
                            .commands()
                            .iter()
                            .any(|command| command.has_flag(&["--prefix", "-C", "--cwd", "--dir"]));
                    if !goes {
                        is_reported = true;
                        sink.at(
                            step.instruction.head,
                            "without WORKDIR packages are installed at the root of the image",
                        )
                        .help("write WORKDIR /app before");
                    }
                }
                _ => {}
            }
        }
    }
}
