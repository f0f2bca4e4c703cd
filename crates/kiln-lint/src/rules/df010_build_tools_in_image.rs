use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF010",
    slug: "build_tools_in_image",
    title: "Tools for building stay in the final image",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF010.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const TOOLS: [&str; 16] = [
        "build-essential",
        "build-base",
        "gcc",
        "g++",
        "make",
        "cmake",
        "python3",
        "python",
        "git",
        "python3-dev",
        "autoconf",
        "automake",
        "libtool",
        "python2",
        "clang",
        "python3-pip",
    ];
    for stage in subject.model.final_chain() {
        for step in &stage.steps {
            let removes = step.commands().iter().any(|command| {
                let verb = command.operands().next().map_or("", |word| word.value.as_str());
                matches!(
                    (command.program(), verb),
                    ("apk", "del") | ("apt-get" | "apt", "purge" | "remove" | "autoremove")
                )
            });
            for command in step.commands().iter().filter(|_| !removes) {
                let verb = command.operands().next().map_or("", |word| word.value.as_str());
                if !matches!((command.program(), verb), ("apk", "add") | ("apt-get" | "apt", "install")) {
                    continue;
                }
                let tools: Vec<&str> = command
                    .operands()
                    .map(|word| word.value.split('=').next().unwrap_or_default())
                    .filter(|name| TOOLS.contains(name))
                    .collect();
                if let Some(first) = command
                    .operands()
                    .find(|word| TOOLS.contains(&word.value.split('=').next().unwrap_or_default()))
                {
                    sink.at(step.word(first), format!("{} stay in the final image", tools.join(", "))).help(
                        "build in a stage of its own and copy the result, or remove them in the same RUN",
                    );
                }
            }
        }
    }
}
