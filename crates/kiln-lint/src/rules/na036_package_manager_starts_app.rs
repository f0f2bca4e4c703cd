use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form, Span};
use kiln_node::plain;

pub(super) static RULE: Rule = Rule {
    id: "NA036",
    slug: "package_manager_starts_app",
    title: "A package manager or watcher starts the app",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA036.md"),
    check,
};

const STARTERS: [&str; 12] = [
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "pnpx",
    "bunx",
    "pm2",
    "pm2-runtime",
    "forever",
    "pm2-docker",
    "yarnpkg",
    "corepack",
];

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let setting =
        stage.end.entrypoint.as_ref().filter(|setting| !setting.value.is_empty()).or(stage.end.cmd.as_ref());
    let setting = match (setting, stage.end.cmd.as_ref()) {
        // `ENTRYPOINT ["tini", "--"]` starts what CMD says.
        (Some(entrypoint), Some(cmd)) if starts_others(&entrypoint.value) => cmd,
        (Some(setting), _) => setting,
        (None, _) => return,
    };
    let argv: Vec<String> = match &setting.value {
        Form::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
        Form::Shell(line) => match plain(&line.value) {
            Some(command) => command.argv,
            None => return,
        },
    };
    let argv: Vec<&str> = argv.iter().map(String::as_str).skip_while(|word| is_init(word)).collect();
    let Some(program) = argv
        .first()
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .filter(|name| STARTERS.contains(name))
    else {
        return;
    };
    let what = if program.starts_with("pm2") || program == "forever" {
        format!("{program} starts the app and restarts it, which is the cluster's work")
    } else {
        format!("{program} starts the app, and does not pass SIGTERM on to it")
    };
    let finding = sink.at(setting.span, what);
    let Some((command, script)) = subject.context.and_then(|context| resolved(context, &argv)) else {
        finding.help("start Node itself: CMD [\"node\", \"server.js\"]");
        return;
    };
    let array: Vec<String> = command.iter().map(|word| format!("\"{word}\"")).collect();
    let array = format!("[{}]", array.join(", "));
    finding.help(format!("`{script}` is what it runs: write {array}"));
    let step = stage.steps.iter().find(|step| step.instruction.head == setting.span);
    let step =
        step.filter(|step| matches!(step.instruction.command, Command::Cmd(_) | Command::Entrypoint(_)));
    if let Some(step) = step {
        let span: Span = step.instruction.arguments.span;
        finding.safe(format!("write {array}"), vec![Edit::replace(span, array)]);
    }
}

fn is_init(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("tini" | "dumb-init" | "exec" | "--" | "-g"))
}

fn starts_others(form: &Form) -> bool {
    form.exec()
        .is_some_and(|words| words.iter().all(|word| is_init(word) || word.ends_with("docker-entrypoint.sh")))
}

/// What the script is that a package manager is asked for, where it is a plain call of Node.
fn resolved(context: &crate::Context, argv: &[&str]) -> Option<(Vec<String>, String)> {
    let name = match argv {
        ["npm", "start"] => "start",
        ["npm" | "yarn" | "pnpm", "run" | "run-script", name] | ["yarn" | "pnpm", name] => name,
        _ => return None,
    };
    let scripts = &context.package.as_ref()?.scripts;
    // npm runs these around it.
    if scripts.contains_key(&format!("pre{name}")) || scripts.contains_key(&format!("post{name}")) {
        return None;
    }
    let script = scripts.get(name)?;
    let command = plain(script)?;
    let is_plain = command.argv.first().is_some_and(|program| program == "node")
        && command.env.iter().all(|(name, value)| name == "NODE_ENV" && value == "production")
        && command.argv.iter().all(|word| !word.contains(['"', '\\', '$']));
    is_plain.then(|| (command.argv, script.clone()))
}
