//! The stage that is shipped.

use super::{BUILD, Out, PRODUCTION, json, packages, quoted, sets};
use crate::layout::{Origin, Ship, closure};
use crate::stages::Stages;

impl Out<'_> {
    pub(super) fn runtime(&mut self) {
        let stages = self.stages;
        let (target, recipe) = (stages.target, stages.recipe);
        let origin = self.state_origin();
        let platform =
            recipe.platform.as_ref().map(|value| format!("--platform={value} ")).unwrap_or_default();
        self.line(format_args!("\n# runtime: {}; not root", target.why));
        self.comments(&recipe.said.runtime);
        self.line(format_args!("FROM {platform}{}", stages.runner));
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
                let (flag, folder) = match origin {
                    Origin::Build => (format!("--from={BUILD} "), format!("{}/", self.root)),
                    Origin::Context => (String::new(), String::new()),
                };
                // A name that looks like a flag is a path all the same.
                let dot = |name: &String| if folder.is_empty() && name.starts_with('-') { "./" } else { "" };
                let mut words: Vec<String> =
                    names.iter().map(|name| format!("{folder}{}{name}", dot(name))).collect();
                words.push(to);
                let is_plain = words.iter().all(|word| !word.contains([' ', '\t', '"', '[']));
                let words = if is_plain { words.join(" ") } else { json(&words) };
                self.line(format_args!("COPY {flag}{words}"));
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
