//! `kiln` without a command, in the folder of an app: what `kiln ship` would do with it.

use std::path::Path;

use kiln_app::App;
use kiln_finding::Failure;
use kiln_plan::{Health, Plan, plan};

use crate::config::Config;
use crate::output;

/// Whether this is a folder of an app, and nothing was asked for.
pub(crate) fn is_wanted() -> bool {
    std::env::args_os().len() == 1 && Path::new("package.json").is_file()
}

/// Says what would be done, and does nothing.
pub(crate) fn show() -> Result<(), Failure> {
    let config = Config::read(None, Path::new("."))?;
    let app = App::collect(Path::new("."))?;
    let plan = plan(&app.facts, &config.overrides()?)?;
    let lines: Vec<String> = told(&plan).iter().map(|(what, text)| output::row(what, text)).collect();
    let image = plan.image();
    output::data(&format!(
        "`kiln ship` would make the image {image} of this folder:\n\n{}",
        lines.join("\n")
    ));
    output::talk("");
    let more = "`kiln plan` tells the whole plan and its reasons; `kiln --help` lists all commands.";
    output::talk_wrapped("", more);
    Ok(())
}

fn told(plan: &Plan) -> Vec<(&'static str, String)> {
    let commands = |steps: &[kiln_plan::Step]| {
        steps.iter().map(|step| step.argv.join(" ")).collect::<Vec<_>>().join(", then ")
    };
    let mut lines = vec![
        ("base", format!("Debian 13 and Node.js {}, without a shell; user 65532", plan.node)),
        ("install", commands(&plan.production)),
    ];
    let scripts = plan.scripts();
    lines.extend((!scripts.is_empty()).then(|| ("build", commands(&scripts))));
    lines.push(("start", format!("node {}", plan.entry.join(" "))));
    lines.push(("port", port(plan)));
    lines.push(("gate", "scan, judge, sign and verify; a no at any of them ends it".to_owned()));
    lines
}

fn port(plan: &Plan) -> String {
    match (plan.port, &plan.health) {
        (None, _) => "none is known; `[image] port` in kiln.toml names one".to_owned(),
        (Some(port), Some(Health::Http { path })) => format!("{port}, health at {path}"),
        (Some(port), Some(Health::Tcp)) => format!("{port}, healthy when it takes connections"),
        (Some(port), None) => port.to_string(),
    }
}
