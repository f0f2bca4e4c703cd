use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF047",
    slug: "set_uid_bit",
    title: "A program is made to run with the rights of its owner",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF047.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for step in subject.model.final_chain().flat_map(|stage| &stage.steps) {
        for command in step.commands().iter().filter(|command| command.program() == "chmod") {
            let Some(mode) = command.operands().next() else { continue };
            let number = u32::from_str_radix(&mode.value, 8).unwrap_or(0);
            let is_folder = command.operands().skip(1).all(|word| word.value.ends_with('/'));
            let is_symbolic = mode
                .value
                .split(',')
                .any(|clause| clause.split_once(['+', '=']).is_some_and(|(_, bits)| bits.contains('s')));
            if (number & 0o6000 != 0 || is_symbolic) && !is_folder {
                sink.at(
                    step.word(mode),
                    format!("mode {} lets every user run it with the rights of its owner", mode.value),
                )
                .help("give the program what it needs as a capability, or run it as the right user");
            }
        }
    }
}
