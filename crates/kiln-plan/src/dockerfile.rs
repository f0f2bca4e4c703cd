use std::collections::BTreeSet;
use std::fmt::Write;

use kiln_node::{AppFacts, Linker, Manager};
use kiln_rootfs::RootPath;

use crate::health::health_command;
use crate::{Plan, Step};

/// Folders that builds usually write, shipped where the sources do not show what a build makes.
const BUILD_OUTPUTS: [&str; 4] = ["dist", "build", ".next", ".output"];

/// The plan as a Dockerfile that any builder takes, once `kiln base` has put its two bases where it looks.
pub fn dockerfile(plan: &Plan, facts: &AppFacts) -> String {
    let mut text = String::new();
    let native = if plan.natives.is_empty() { "" } else { "-native" };
    let node = plan.node;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "# syntax=docker/dockerfile:1\n\
         # Written by `kiln plan`. The two bases come from `kiln base`.\n\
         ARG BUILDER=kiln/node:{node}-debian13-dev{native}\n\
         ARG RUNTIME=kiln/node:{node}-debian13\n\n"
    );
    stage(&mut text, "dependencies", "what building and testing need", (plan, facts), &plan.install);
    text.push_str("\n# build: the app, compiled\nFROM dependencies AS build\nCOPY . .\n");
    for step in &plan.scripts() {
        run(&mut text, step, None);
    }
    if !plan.own_scripts.is_empty() {
        text.push_str(
            "# What these scripts change in node_modules, `kiln ship` takes along; this file does not.\n",
        );
    }
    text.push('\n');
    stage(&mut text, "production", "what running needs", (plan, facts), &plan.production);
    runtime(&mut text, plan, facts);
    text
}

/// What the build context must not hold.
pub fn dockerignore() -> String {
    "# Written by `kiln plan`.\n**/.git\n**/node_modules\n**/dist\n**/coverage\n**/.env*\n**/*.pem\n**/*.key\n".to_owned()
}

fn stage(text: &mut String, name: &str, what: &str, (plan, facts): (&Plan, &AppFacts), steps: &[Step]) {
    let _ = write!(text, "# {name}: {what}\nFROM ${{BUILDER}} AS {name}\nWORKDIR /app\n");
    let mut by_folder: Vec<(String, Vec<&str>)> = Vec::new();
    for path in plan.manifests.iter().filter(|path| !facts.links.contains_key(*path)) {
        let folder = path.parent().unwrap_or(RootPath::ROOT).to_string();
        match by_folder.last_mut() {
            Some((last, names)) if *last == folder => names.push(path.as_str()),
            _ => by_folder.push((folder, vec![path.as_str()])),
        }
    }
    for (folder, names) in by_folder {
        let _ = writeln!(
            text,
            "COPY {} ./{}",
            names.join(" "),
            if folder.is_empty() { folder } else { folder + "/" }
        );
    }
    // COPY would follow them.
    for (link, target) in &facts.links {
        let folder = link.parent().unwrap_or(RootPath::ROOT).to_string();
        let words = |words: &[&str]| json(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let make = words(&["mkdir", "-p", if folder.is_empty() { "." } else { &folder }]);
        let _ = writeln!(text, "RUN {make}\nRUN {}", words(&["ln", "-s", target, link.as_str()]));
    }
    let cache = match plan.manager {
        Manager::Npm => "/root/.npm",
        Manager::Pnpm => "/root/.local/share/pnpm/store",
        Manager::Yarn if plan.linker.is_some() => "/root/.yarn",
        Manager::Yarn => "/root/.cache/yarn",
        Manager::Bun => "/root/.bun/install/cache",
    };
    if let Some(get) = get_manager(plan) {
        let _ = writeln!(text, "{get}");
    }
    for step in steps {
        run(text, step, Some(cache));
    }
}

/// The builder has npm, pnpm and yarn 1.
fn get_manager(plan: &Plan) -> Option<String> {
    let version = plan.manager_version.as_deref().unwrap_or("latest");
    match (plan.manager, plan.linker) {
        (Manager::Bun, _) => Some(format!("RUN npm install --global bun@{version}")),
        (_, Some(_)) => Some(format!(
            "ENV YARN_ENABLE_SCRIPTS=false YARN_ENABLE_GLOBAL_CACHE=false\nRUN npm install --global --force @yarnpkg/cli-dist@{version}"
        )),
        _ => None,
    }
}

fn run(text: &mut String, step: &Step, cache: Option<&str>) {
    let mount = cache
        .filter(|_| step.network || step.downloads)
        .map_or(String::new(), |cache| format!("--mount=type=cache,target={cache} "));
    let _ = writeln!(text, "RUN {mount}{}", step.argv.join(" "));
}

fn runtime(text: &mut String, plan: &Plan, facts: &AppFacts) {
    text.push_str("\n# runtime: no shell, no package manager, no root\nFROM ${RUNTIME}\nWORKDIR /app\n");
    if plan.linker == Some(Linker::Pnp) {
        text.push_str("COPY --from=production /app/.pnp.* ./\nCOPY --from=production /app/.yarn ./.yarn\n");
    } else {
        text.push_str("COPY --from=production /app/node_modules ./node_modules\n");
    }
    for folder in facts.workspace.keys() {
        let _ = writeln!(text, "COPY --from=production /app/{folder}/node_modules* ./{folder}/node_modules/");
    }
    for name in shipped_names(plan, facts) {
        let _ = writeln!(text, "COPY --from=build /app/{name} ./{name}");
    }
    if !plan.folder.is_empty() {
        let _ = writeln!(text, "WORKDIR /app/{}", plan.folder);
    }
    text.push_str("ENV NODE_ENV=production\n");
    for (name, value) in plan.env.iter().filter(|(name, _)| name != "NODE_ENV") {
        let _ = writeln!(text, "ENV {name}={value:?}");
    }
    if let Some(port) = plan.port {
        let _ = writeln!(text, "EXPOSE {port}");
        if let Some(health) = &plan.health {
            let command = health_command(health, port);
            let _ = writeln!(
                text,
                "HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \\\n  CMD {}",
                json(&command)
            );
        }
    }
    text.push_str("USER 65532:65532\n");
    let _ =
        writeln!(text, "ENTRYPOINT {}", json(&[&["/nodejs/bin/node".to_owned()], &plan.entry[..]].concat()));
}

/// What lies at the top of the app and is shipped, with what the build will have made.
fn shipped_names(plan: &Plan, facts: &AppFacts) -> BTreeSet<String> {
    let shipped = facts.files.iter().filter(|path| plan.shipping.leaves_out(path, false).is_none());
    let mut names: BTreeSet<String> =
        shipped.filter_map(|path| path.parts().next().map(str::to_owned)).collect();
    let entry_folder = plan.entry.iter().find_map(|word| word.split_once('/')).map(|(folder, _)| folder);
    if let Some(folder) =
        entry_folder.filter(|folder| BUILD_OUTPUTS.contains(folder) && plan.folder.is_empty())
    {
        names.insert(folder.to_owned());
    }
    names
}

/// A JSON array of strings with a space after each comma, as Dockerfiles have it.
fn json(words: &[String]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| {
            let escaped: String = word
                .chars()
                .map(|c| match c {
                    '"' => "\\\"".to_owned(),
                    '\\' => "\\\\".to_owned(),
                    c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
                    c => c.to_string(),
                })
                .collect();
            format!("\"{escaped}\"")
        })
        .collect();
    format!("[{}]", words.join(", "))
}
