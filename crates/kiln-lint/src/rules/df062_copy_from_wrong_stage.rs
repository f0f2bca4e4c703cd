use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;
use kiln_finding::closest;

pub(super) static RULE: Rule = Rule {
    id: "DF062",
    slug: "copy_from_wrong_stage",
    title: "COPY --from names a stage that is not there, the stage itself, or a later one",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3022", "DL3023", "DS-0006"],
    page: include_str!("../../tests/rules/DF062.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let names: Vec<&str> = subject.model.stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
    for (stage, step) in subject.model.steps() {
        let Command::Copy(copy) = &step.instruction.command else { continue };
        let Some(from) = &copy.from else { continue };
        let is_number = !from.value.is_empty() && from.value.bytes().all(|byte| byte.is_ascii_digit());
        match subject.model.copied_from(step) {
            Some(source) if source.index == stage.index => {
                sink.at(from.span, "a stage cannot copy from itself")
                    .help("name the stage that made the files");
            }
            Some(source) if source.index > stage.index => {
                sink.at(
                    from.span,
                    format!(
                        "stage {} comes later: only BuildKit finds it, other builders stop",
                        source.label()
                    ),
                )
                .level(Level::Warning)
                .help("put the stage before this one");
            }
            Some(_) => {}
            None if is_number => {
                sink.at(
                    from.span,
                    format!(
                        "there is no stage {}; the last one is {}",
                        from.value,
                        subject.model.stages.len().saturating_sub(1)
                    ),
                );
            }
            None => {
                // Without a match it is an image; a name like that of a stage is none.
                let looks_like_stage = !from.value.contains(['/', ':', '.', '@', '$']);
                if let Some(guess) = closest(&from.value, names.iter().copied()).filter(|_| looks_like_stage)
                {
                    sink.at(
                        from.span,
                        format!("there is no stage `{}`, so an image of that name is pulled", from.value),
                    )
                    .help(format!("did you mean `{guess}`?"))
                    .not_safe(format!("copy from `{guess}`"), vec![Edit::replace(from.span, guess)]);
                }
            }
        }
    }
}
