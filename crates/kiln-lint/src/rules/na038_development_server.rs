use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "NA038",
    slug: "development_server",
    title: "The app runs as for development",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA038.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    if let Some(env) = stage
        .end
        .env
        .get("NODE_ENV")
        .filter(|env| matches!(env.value.as_str(), "development" | "dev" | "test"))
    {
        sink.at(env.span, format!("NODE_ENV is {} in the image that runs", env.value))
            .help("write NODE_ENV=production");
    }
    let Some(argv) = stage.argv() else { return };
    let line = argv.join(" ");
    let script = subject.context.and_then(|context| script_of(context, &line));
    let whole = script.map_or(line.clone(), |script| format!("{line} {script}"));
    let words: Vec<&str> = whole.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let name = |word: &&str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> = words.iter().map(name).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let pair = |first: &str, second: &str| names.windows(2).any(|pair| pair[0] == first && pair[1] == second);
    let what = if has("nodemon") {
        "nodemon watches files and restarts"
    } else if has("ts-node") || has("ts-node-dev") || has("tsx") {
        "TypeScript is compiled each time the app starts"
    } else if words.iter().any(|word| word.starts_with("--inspect")) {
        "the debugger listens"
    } else if pair("next", "dev")
        || pair("nuxt", "dev")
        || pair("remix", "dev")
        || pair("nest", "start") && names.iter().any(|name| name == "--watch")
    {
        "the development server of the framework runs"
    } else if has("vite") && !pair("vite", "preview") && !pair("vite", "build") {
        "the development server of vite runs"
    } else if words.contains(&"--watch") && has("node") {
        "node watches files and restarts"
    } else {
        return;
    };
    let setting = stage.end.cmd.as_ref().or(stage.end.entrypoint.as_ref());
    let is_command = |step: &&crate::model::Step<'_>| {
        matches!(step.instruction.command, Command::Cmd(_) | Command::Entrypoint(_))
    };
    let last = stage.steps.iter().rfind(is_command).map(|step| step.instruction.head);
    let span = setting.map(|setting| setting.span).or(last).unwrap_or(stage.instruction.head);
    sink.at(span, format!("{what} in the image that runs"))
        .help("build in a stage before, and start the result with node");
}

/// The script that a package manager is asked for.
fn script_of<'c>(context: &'c crate::Context, line: &str) -> Option<&'c str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| matches!(*word, "npm" | "yarn" | "pnpm"))?;
    let name = words.iter().skip(at + 1).find(|word| **word != "run" && !word.starts_with('-'))?;
    context.script(name)
}
