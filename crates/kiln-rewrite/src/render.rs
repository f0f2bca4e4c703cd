//! The new file as text that a person would have written.

use std::fmt::Write;

use crate::kept::Kind;
use crate::layout::{Origin, Ship, closure};
use crate::secrets::{id, variables};
use crate::stages::{Build, Stages};
use crate::{Project, Recipe};

/// The stage that installs what runs, and the one that installs everything.
const PRODUCTION: &str = "prod-deps";
const ALL: &str = "deps";
const BUILD: &str = "build";

/// The text of the new Dockerfile.
pub(crate) fn dockerfile(project: &Project, stages: &Stages<'_>) -> String {
    let mut out = Out { text: String::new(), project, stages, root: root(stages) };
    out.head();
    out.base();
    if stages.builds {
        out.deps();
        out.build();
    }
    if stages.has_modules && !stages.layout.is_standalone {
        out.production();
    }
    out.runtime();
    out.text
}

/// The folder of the app in every stage.
fn root(stages: &Stages<'_>) -> String {
    let workdir = stages.recipe.workdir.as_str();
    let suffix = format!("/{}", stages.start.app);
    let root =
        if stages.start.app.is_empty() { workdir } else { workdir.strip_suffix(&suffix).unwrap_or(workdir) };
    if root.is_empty() || root == "/" { "/app".to_owned() } else { root.to_owned() }
}

struct Out<'a> {
    text: String,
    project: &'a Project,
    stages: &'a Stages<'a>,
    root: String,
}

impl Out<'_> {
    // Writing to a String cannot fail.
    fn line(&mut self, line: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{line}");
    }

    fn comments(&mut self, comments: &[String]) {
        for comment in comments {
            self.line(format_args!("# {comment}"));
        }
    }

    /// A blank line and what the stage is for.
    fn stage(&mut self, what: &str, from: &str, name: &str) {
        self.line(format_args!("\n# {what}\nFROM {from} AS {name}"));
    }

    fn head(&mut self) {
        self.line("# syntax=docker/dockerfile:1");
        for directive in &self.stages.recipe.directives {
            self.line(directive);
        }
        if !self.stages.recipe.top.is_empty() {
            self.line("");
            self.comments(&self.stages.recipe.top);
        }
        let globals = globals(self.stages);
        if !globals.is_empty() {
            self.line("");
        }
        for kept in globals {
            self.comments(&kept.comments);
            self.line(&kept.text);
        }
    }

    fn base(&mut self) {
        let stages = self.stages;
        let compiles = !stages.install.natives.is_empty();
        let image = stages.target.builder(&stages.node, compiles);
        let what = if compiles {
            format!(
                "base: what installs and builds, with a compiler for {}",
                stages.install.natives.join(", ")
            )
        } else {
            "base: what installs and builds; none of it is shipped".to_owned()
        };
        self.stage(&what, &image, "base");
        if let Some(user) = &stages.target.user {
            self.line(format_args!("USER {user}"));
        }
        let root = self.root.clone();
        self.line(format_args!("WORKDIR {root}"));
        for (name, value) in &stages.install.env {
            self.line(format_args!("ENV {name}={value}"));
        }
        if compiles && stages.target.native.is_none() {
            let compile = stages.target.compile.as_deref().unwrap_or_default();
            self.line(format_args!("RUN {}", compile.replace(" && ", " \\\n && ")));
        }
        if !stages.build_packages.is_empty() {
            self.line(packages(stages.target.os.as_str(), &stages.build_packages));
        }
        if let Some(bootstrap) = &stages.install.bootstrap {
            self.line(format_args!("RUN {bootstrap}"));
        }
        for setting in &stages.settings {
            self.line(format_args!("RUN {setting}"));
        }
        if !stages.tools.is_empty() {
            self.line(format_args!("RUN npm install --global {}", stages.tools.join(" ")));
        }
        self.state("base");
    }

    fn manifests(&mut self, is_first: bool) {
        if is_first {
            let said = self.stages.recipe.said.install.clone();
            self.comments(&said);
        }
        for (folder, names) in &self.stages.install.manifests {
            let to = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            self.line(format_args!("COPY {} ./{to}", names.join(" ")));
        }
    }

    fn install(&mut self, command: &str) {
        let stages = self.stages;
        let mut mounts = format!("--mount=type=cache,target={} ", stages.install.cache);
        if stages.secret_npmrc {
            let _ = write!(mounts, "\\\n    --mount=type=secret,id=npmrc,target={}/.npmrc ", self.root);
        }
        for name in &stages.secrets {
            let _ = write!(mounts, "\\\n    --mount=type=secret,id={},env={name} ", id(name));
        }
        self.line(format_args!("RUN {mounts}\\\n    {command}"));
    }

    fn rebuild(&mut self) {
        if let Some(rebuild) = &self.stages.install.rebuild {
            self.line(format_args!("RUN {rebuild}"));
        }
    }

    fn deps(&mut self) {
        self.stage("deps: everything, to build with", "base", ALL);
        self.manifests(true);
        let command = self.stages.install.all.clone();
        self.install(&command);
        self.rebuild();
    }

    fn build(&mut self) {
        self.stage("build: the app, compiled", ALL, BUILD);
        for kept in &self.stages.build_kept {
            self.comments(&kept.comments);
            self.line(&kept.text);
        }
        let said = self.stages.recipe.said.copy.clone();
        self.comments(&said);
        if self.project.npmrc.is_some() && !self.stages.secret_npmrc {
            self.line("# kiln: allow DF052 .npmrc names a variable and holds no credential");
        }
        self.line("COPY . .");
        let secrets: Vec<String> = self
            .stages
            .recipe
            .secrets
            .iter()
            .filter(|secret| secret.is_arg && !self.stages.secrets.contains(&secret.name))
            .map(|secret| format!("--mount=type=secret,id={},env={} ", id(&secret.name), secret.name))
            .collect();
        for Build { text, comments } in &self.stages.build {
            self.comments(comments);
            let rest = text.strip_prefix("RUN ").unwrap_or(text);
            self.line(format_args!("RUN {}{rest}", secrets.concat()));
        }
    }

    fn production(&mut self) {
        match &self.stages.install.prune {
            Some(prune) if self.stages.builds => {
                self.stage(
                    "prod-deps: what running needs, with what was generated into it",
                    BUILD,
                    PRODUCTION,
                );
                let prune = prune.clone();
                self.line(format_args!("RUN {prune}"));
            }
            _ => {
                self.stage("prod-deps: what running needs", "base", PRODUCTION);
                self.manifests(!self.stages.builds);
                let command = self.stages.install.production.clone();
                self.install(&command);
                self.rebuild();
            }
        }
        self.state(PRODUCTION);
    }

    /// The stage that holds folders for the app to write to: one that holds nothing in them.
    fn state_origin(&self) -> &'static str {
        let is_fresh = self.stages.install.prune.is_none() || !self.stages.builds;
        let has_own = self.stages.has_modules && !self.stages.layout.is_standalone;
        if has_own && is_fresh { PRODUCTION } else { "base" }
    }

    /// Makes these folders, at the end of the stage that holds them.
    fn state(&mut self, stage: &str) {
        if !self.stages.state.is_empty() && self.state_origin() == stage {
            self.line("# what the app writes to, empty; the runtime gives it to its user");
            self.line(format_args!("RUN mkdir -p {}", self.stages.state.join(" ")));
        }
    }

    fn runtime(&mut self) {
        let stages = self.stages;
        let (target, recipe) = (stages.target, stages.recipe);
        let origin = self.state_origin();
        let platform =
            recipe.platform.as_ref().map(|value| format!("--platform={value} ")).unwrap_or_default();
        self.line(format_args!("\n# runtime: {}; not root", target.why));
        self.comments(&recipe.said.runtime);
        self.line(format_args!("FROM {platform}{}", target.runner(&stages.node)));
        if !stages.run_packages.is_empty() {
            self.comments(&stages.package_comments);
            self.line(packages(&target.os, &stages.run_packages));
        }
        for text in &stages.system {
            self.line(format_args!("RUN {text}"));
        }
        let root = self.root.clone();
        self.comments(&recipe.said.workdir);
        self.line(format_args!("WORKDIR {root}\nENV NODE_ENV=production"));
        for (name, value) in stages.start.env.iter().filter(|(name, _)| name != "NODE_ENV") {
            self.line(format_args!("ENV {name}={}", quoted(value)));
        }
        if stages.layout.is_standalone && !sets(recipe, "HOSTNAME") {
            self.line("ENV HOSTNAME=0.0.0.0");
        }
        if stages.has_init && matches!(target.name.as_str(), "distroless" | "dhi") {
            self.line("COPY --from=base /usr/bin/tini-static /usr/bin/tini");
        }
        self.modules();
        if !stages.builds {
            self.comments(&recipe.said.copy);
        }
        for line in &stages.layout.lines {
            self.ship(line);
        }
        let owner = format!("{0}:{0}", target.uid);
        for folder in &stages.state {
            let to = folder
                .strip_prefix(&format!("{}/", self.root))
                .map_or(folder.clone(), |below| format!("./{below}"));
            self.line(format_args!("COPY --from={origin} --chown={owner} {folder} {to}"));
        }
        self.script();
        for kept in &stages.run_kept {
            self.comments(&kept.comments);
            self.line(&kept.text);
        }
        if self.starts_in_folder() {
            self.line(format_args!("WORKDIR {root}/{}", stages.start.app));
        }
        self.comments(&recipe.said.user);
        self.line(format_args!("USER {owner}"));
        if let Some(check) = &stages.health {
            self.comments(&check.comments);
            self.line(&check.text);
        }
        self.command();
    }

    /// Whether the arguments of `node` are paths from the folder of the app.
    fn starts_in_folder(&self) -> bool {
        let app = &self.stages.start.app;
        let file = self.stages.start.argv.iter().find(|word| !word.starts_with('-'));
        !app.is_empty()
            && file.is_some_and(|file| !file.trim_start_matches("./").starts_with(&format!("{app}/")))
    }

    fn modules(&mut self) {
        if !self.stages.has_modules || self.stages.layout.is_standalone {
            return;
        }
        let root = self.root.clone();
        self.line(format_args!("COPY --from={PRODUCTION} {root}/node_modules ./node_modules"));
        if self.project.facts.workspace.is_empty() {
            return;
        }
        for folder in closure(self.project, &self.stages.start.app) {
            let package = self.project.package(&folder);
            let is_pnpm = self.project.manager() == Some(kiln_node::Manager::Pnpm);
            let own = format!("\"{folder}/node_modules/");
            let in_lock = self.project.npm_lock.as_ref().is_some_and(|lock| lock.contains(&own));
            if (is_pnpm && !package.dependencies.is_empty()) || in_lock {
                self.line(format_args!(
                    "COPY --from={PRODUCTION} {root}/{folder}/node_modules ./{folder}/node_modules"
                ));
            }
        }
    }

    fn ship(&mut self, line: &Ship) {
        match line {
            Ship::Verbatim { text, comments } => {
                self.comments(comments);
                self.line(text);
            }
            Ship::Files { origin, names, to, comments } => {
                self.comments(comments);
                let to = match to.as_str() {
                    "." => "./".to_owned(),
                    to if to.starts_with('/') => to.to_owned(),
                    // Several files go into a folder.
                    to if names.iter().all(|name| name.starts_with(&format!("{to}/"))) => format!("./{to}/"),
                    to => format!("./{to}"),
                };
                match origin {
                    Origin::Build => {
                        let names: Vec<String> =
                            names.iter().map(|name| format!("{}/{name}", self.root)).collect();
                        self.line(format_args!("COPY --from={BUILD} {} {to}", names.join(" ")));
                    }
                    Origin::Context => self.line(format_args!("COPY {} {to}", names.join(" "))),
                }
            }
        }
    }

    fn script(&mut self) {
        if let Some(file) = &self.stages.start.script {
            let path = script_path(self.stages, file, &self.root);
            self.line(format_args!("COPY --chmod=755 {file} {path}"));
        }
    }

    fn command(&mut self) {
        let (stages, target) = (self.stages, self.stages.target);
        let comments = [&stages.recipe.entrypoint, &stages.recipe.cmd];
        let comments: Vec<String> =
            comments.into_iter().flatten().flat_map(|set| set.comments.clone()).collect();
        let init: &[&str] = match (stages.has_init, target.name.as_str()) {
            (true, "alpine") => &["/sbin/tini", "--"],
            (true, "chainguard") => &["/usr/bin/dumb-init", "--"],
            (true, "slim" | "distroless" | "dhi") => &["/usr/bin/tini", "--"],
            _ => &[],
        };
        let mut entrypoint: Vec<String> = init.iter().map(|&word| word.to_owned()).collect();
        let mut cmd = stages.start.argv.clone();
        if let Some(file) = &stages.start.script {
            entrypoint.push(script_path(stages, file, &self.root));
            if !cmd.is_empty() {
                cmd.insert(0, target.node.clone());
            }
        } else if let Some(line) = &stages.start.shell {
            cmd = vec!["sh".to_owned(), "-c".to_owned(), line.clone()];
        } else if target.entry {
            entrypoint.push(target.node.clone());
        } else {
            cmd.insert(0, target.node.clone());
        }
        self.comments(&comments);
        if !entrypoint.is_empty() {
            self.line(format_args!("ENTRYPOINT {}", json(&entrypoint)));
        }
        if !cmd.is_empty() {
            self.line(format_args!("CMD {}", json(&cmd)));
        }
    }
}

/// Where the start script lies in the image: where the old file put it.
fn script_path(stages: &Stages<'_>, file: &str, root: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let copied = stages
        .recipe
        .copies
        .iter()
        .find(|copied| copied.sources.iter().any(|source| source.trim_start_matches("./") == file));
    match copied {
        Some(copied) if copied.is_folder || copied.dest == stages.recipe.workdir => {
            format!("{}/{name}", copied.dest.trim_end_matches('/'))
        }
        Some(copied) => copied.dest.clone(),
        None => format!("{root}/{file}"),
    }
}

/// The arguments before `FROM` that the new file still uses.
fn globals<'a>(stages: &Stages<'a>) -> Vec<&'a crate::kept::Kept> {
    let lines = stages.build_kept.iter().chain(&stages.run_kept);
    let declared: Vec<String> =
        lines.filter(|kept| kept.kind == Kind::Arg).flat_map(|kept| kept.names.clone()).collect();
    let mut used = variables(&stages.node.version);
    used.extend(stages.recipe.platform.iter().flat_map(|platform| variables(platform)));
    used.extend(declared);
    stages.recipe.globals.iter().filter(|kept| kept.names.iter().any(|name| used.contains(name))).collect()
}

fn sets(recipe: &Recipe, name: &str) -> bool {
    recipe.kept.iter().any(|kept| kept.kind == Kind::Env && kept.names.iter().any(|known| known == name))
}

fn packages(os: &str, names: &[String]) -> String {
    if os == "debian" {
        format!(
            "RUN apt-get update \\\n && apt-get install -y --no-install-recommends {} \\\n && rm -rf /var/lib/apt/lists/*",
            names.join(" ")
        )
    } else {
        format!("RUN apk add --no-cache {}", names.join(" "))
    }
}

/// A value of `ENV`, in quotes where it needs them.
fn quoted(value: &str) -> String {
    let is_plain =
        !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,@%+=".contains(c));
    if is_plain {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$"))
    }
}

/// A JSON array of strings with a space after each comma, as Dockerfiles have it.
pub(crate) fn json(words: &[String]) -> String {
    let words: Vec<String> =
        words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}
