use kiln_node::NodeArguments;

use super::follow::Follower;
use super::programs::Asked;
use super::{TRANSLATORS, TYPESCRIPT};

/// The first line of Node.js that takes `--env-file-if-exists` and runs TypeScript. Source: nodejs.org/api/cli.html.
const TYPESCRIPT_LINE: u32 = 22;

impl Follower<'_> {
    /// `node` with these words behind it.
    pub(super) fn node(&mut self, words: &[String]) -> Result<(), String> {
        let mut read = NodeArguments::read(words);
        if let Some(option) = read.no_program() {
            return Err(format!("`node {option}` runs no file of the app"));
        }
        if let Some(script) = read.options.iter().find(|option| option.name == "--run") {
            return self.script(&script.value.clone().unwrap_or_default());
        }
        let file = read.file.clone().ok_or("`node` is given no file")?;
        if read.options.iter().any(|option| option.name.starts_with("--watch")) {
            return Err("`node --watch` starts the app again when a file changes, which is for development: leave it out".to_owned());
        }
        self.drop_debugger(&mut read);
        self.drop_missing_files(&mut read);
        let preloads: Vec<String> = read.preloads().map(str::to_owned).collect();
        for module in &preloads {
            self.check_module(module)?;
        }
        let is_translated =
            preloads.iter().any(|module| TRANSLATORS.iter().any(|name| module.starts_with(name)));
        if TYPESCRIPT.iter().any(|end| file.ends_with(end)) && !is_translated && self.line < TYPESCRIPT_LINE {
            return Err(format!(
                "Node.js {} does not run `{file}`: compile it in a build script, or ask for Node.js 24",
                self.line
            ));
        }
        self.start.argv = read.words();
        Ok(())
    }

    /// A debugger runs whatever whoever reaches it says.
    fn drop_debugger(&mut self, read: &mut NodeArguments) {
        let is_one = |name: &str| name.starts_with("--inspect") || name.starts_with("--debug");
        let mut has_one = read.options.iter().any(|option| is_one(&option.name));
        read.options.retain(|option| !is_one(&option.name));
        for (_, value) in self.start.env.iter_mut().filter(|(name, _)| name == "NODE_OPTIONS") {
            has_one |= value.split_whitespace().any(is_one);
            let kept: Vec<&str> = value.split_whitespace().filter(|word| !is_one(word)).collect();
            *value = kept.join(" ");
        }
        if has_one {
            self.note("the debugger is left out: it runs whatever is sent to it");
        }
    }

    /// Files of variables are in no image, and node stops where one is missing.
    fn drop_missing_files(&mut self, read: &mut NodeArguments) {
        if !read.options.iter().any(|option| option.name == "--env-file") {
            return;
        }
        if self.line < TYPESCRIPT_LINE {
            read.options.retain(|option| option.name != "--env-file");
            self.note(
                "`--env-file` is left out: files of variables (.env) are in no image; set them where it runs",
            );
            return;
        }
        for option in read.options.iter_mut().filter(|option| option.name == "--env-file") {
            "--env-file-if-exists".clone_into(&mut option.name);
        }
        self.note("`--env-file` is `--env-file-if-exists` here: files of variables (.env) are in no image; set them where it runs");
    }

    /// A module that is loaded before the file must be in the image, too.
    fn check_module(&self, module: &str) -> Result<(), String> {
        let is_path = module.starts_with('.') || module.starts_with('/') || module.contains(':');
        let mut parts = module.splitn(3, '/');
        let package = match (parts.next(), parts.next()) {
            (Some(scope), Some(name)) if scope.starts_with('@') => format!("{scope}/{name}"),
            (Some(name), _) => name.to_owned(),
            _ => return Ok(()),
        };
        if is_path || self.asked(&package) == Asked::Production {
            return Ok(());
        }
        Err(self.missing(&package, &format!("`node` loads `{module}` first")))
    }
}
