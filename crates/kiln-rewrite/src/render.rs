//! The new file as text that a person would have written.

mod runtime;

use std::fmt::Write;

use crate::json::json;
use crate::kept::Kind;
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
        let compiles = !stages.install.addons.is_empty();
        let image = stages.builder.clone();
        let what = if compiles {
            format!(
                "base: what installs and builds, with a compiler for {}",
                stages.install.addons.join(", ")
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
        if let Some(rebuild) = &self.stages.install.rebuild_all {
            self.line(format_args!("RUN {rebuild}"));
        }
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
}

/// The arguments before `FROM` that the new file still uses.
fn globals<'a>(stages: &Stages<'a>) -> Vec<&'a crate::kept::Kept> {
    let lines = stages.build_kept.iter().chain(&stages.run_kept);
    let declared: Vec<String> =
        lines.filter(|kept| kept.kind == Kind::Arg).flat_map(|kept| kept.names.clone()).collect();
    let mut used = variables(&stages.node.version);
    used.extend(variables(&stages.builder));
    used.extend(variables(&stages.runner));
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
