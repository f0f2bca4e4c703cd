use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA018",
    slug: "package_manager_not_there",
    title: "The base has no such package manager",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA018.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    /// The last version that was published when this rule was written.
    const COREPACK: &str = "corepack@0.34.0";
    for stage in subject.model.reachable() {
        // Without a shell nothing runs at all, which is another rule's.
        let Some(base) = stage.base.filter(|base| base.node_path.is_some() && base.shell) else { continue };
        let managers = base.managers(stage.node_major());
        let mut has: Vec<String> = managers.iter().map(|name| (*name).to_owned()).collect();
        for step in &stage.steps {
            has.extend(step.before.installed.iter().cloned());
            for command in step.commands() {
                let program = command.program();
                let installs = command
                    .operands()
                    .next()
                    .is_some_and(|word| matches!(word.value.as_str(), "install" | "i" | "add" | "global"));
                if matches!(program, "npm" | "apk" | "apt-get") && installs {
                    has.extend(command.operands().skip(1).map(|word| {
                        word.value
                            .trim_start_matches('@')
                            .split(['@', '='])
                            .next()
                            .unwrap_or_default()
                            .to_owned()
                    }));
                }
                let is_there = |name: &str, has: &[String]| has.iter().any(|known| known == name);
                if matches!(program, "yarn" | "pnpm" | "corepack" | "npm") && !is_there(program, &has) {
                    let major = stage.node_major().map_or(String::new(), |major| format!(" (Node {major})"));
                    let finding =
                        sink.at(step.command(command), format!("{} has no {program}{major}", base.name));
                    match program {
                        "corepack" => {
                            finding.help(format!(
                                "Node brings no corepack from 25 on: `npm install --global {COREPACK}` first"
                            ));
                            if step.can_edit(command) {
                                let edit = Edit::insert(
                                    step.command(command).start,
                                    format!("npm install --global {COREPACK} && "),
                                );
                                finding.not_safe("install corepack first", vec![edit]);
                            }
                        }
                        "npm" => {
                            finding.help("install in a stage on a base that has npm, and copy the result");
                        }
                        _ => {
                            finding.help(format!(
                                "`npm install --global {program}@…` with an exact version first, or corepack"
                            ));
                        }
                    }
                    // Once is enough.
                    has.push(program.to_owned());
                }
                if program == "corepack" {
                    has.extend(["yarn", "pnpm"].map(str::to_owned));
                }
            }
        }
    }
}
