use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA037",
    slug: "sigterm_not_handled",
    title: "The app does not end when it is asked to",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA037.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const HANDLERS: [&str; 9] = [
        "SIGTERM",
        "close-with-grace",
        "terminus",
        "enableShutdownHooks",
        "http-terminator",
        "lightship",
        "node-graceful",
        "stoppable",
        "@fastify/graceful-shutdown",
    ];
    let Some(context) = subject.context.filter(|context| !context.sources.is_empty()) else { return };
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(argv) = stage.argv() else { return };
    let has_init = argv.iter().any(|word| word.ends_with("tini") || word.ends_with("dumb-init"));
    let is_node = argv.iter().any(|word| word.rsplit('/').next() == Some("node"))
        || argv.iter().any(|word| word.split('.').next_back() == Some("js"));
    let handles = |text: &String| HANDLERS.iter().any(|handler| text.contains(handler));
    // Frameworks bring handlers of their own.
    let frameworks = ["next", "nuxt", "@sveltejs/kit", "@remix-run/serve"];
    let has_framework = context
        .package
        .as_ref()
        .is_some_and(|package| frameworks.iter().any(|name| package.dependencies.contains_key(*name)));
    if has_init || !is_node || has_framework || context.sources.values().any(handles) {
        return;
    }
    let setting = stage.end.cmd.as_ref().or(stage.end.entrypoint.as_ref());
    let span = setting.map_or(stage.instruction.head, |setting| setting.span);
    sink.at(
        span,
        "Node is process 1 and no source file handles SIGTERM, so the container is killed after ten seconds",
    )
    .help("process.on('SIGTERM', () => server.close()), or start with --init");
}
