use crate::{Asked, Edit, Finding, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF046",
    slug: "world_writable",
    title: "Everyone may write",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF046.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.final_chain() {
        for step in &stage.steps {
            let chmod = match &step.instruction.command {
                Command::Copy(copy) => &copy.transfer.chmod,
                Command::Add(add) => &add.transfer.chmod,
                _ => &None,
            };
            if let Some(chmod) = chmod.as_ref().filter(|chmod| is_open(&chmod.value)) {
                let finding = sink.at(chmod.span, format!("mode {} lets every user change it", chmod.value));
                repair(finding, &chmod.value, chmod.span);
            }
            for command in step.commands().iter().filter(|command| command.program() == "chmod") {
                let Some(mode) = command
                    .argv()
                    .iter()
                    .skip(1)
                    .find(|word| !word.value.starts_with('-') || word.value.contains('w'))
                else {
                    continue;
                };
                let is_tmp = command
                    .operands()
                    .skip(1)
                    .all(|word| word.value.starts_with("/tmp") || word.value.starts_with("/var/tmp"));
                if is_open(&mode.value) && !is_tmp {
                    let span = step.word(mode);
                    let finding = sink.at(span, format!("mode {} lets every user change it", mode.value));
                    if step.can_edit(command) {
                        repair(finding, &mode.value, span);
                    } else {
                        finding.help("give it to the user that writes there");
                    }
                }
            }
        }
    }
}

fn repair(finding: &mut Finding, mode: &str, span: kiln_dockerfile::Span) {
    finding.help(
        "give it to the user that writes there (`install -d -o 1000 …`), and take the right from others",
    );
    if let Some(last) = mode.bytes().last().filter(u8::is_ascii_digit) {
        let open = (last - b'0') & 5;
        let closed = format!("{}{open}", &mode[..mode.len() - 1]);
        finding.not_safe(format!("write {closed}"), vec![Edit::replace(span, closed)]);
    }
}

fn is_open(mode: &str) -> bool {
    if !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_digit()) {
        // With the sticky bit it is a folder such as /tmp.
        let number = u32::from_str_radix(mode, 8).unwrap_or(0);
        return number & 0o2 != 0 && number & 0o1000 == 0;
    }
    mode.split(',').any(|clause| {
        clause
            .split_once(['+', '='])
            .is_some_and(|(who, bits)| who.contains(['o', 'a']) && bits.contains('w'))
    })
}
