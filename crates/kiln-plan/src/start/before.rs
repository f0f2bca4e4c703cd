//! What a script does before it starts the app.

use kiln_node::{Command, Joint, Word, commands};

use super::follow::{Follower, SCRIPT_DEPTH, bare, shown, texts};
use super::scripts::called;
use super::wrappers::unwrap;
use super::{AsideKind, aside};

impl Follower<'_> {
    /// What npm runs before a script, where there is such a one.
    pub(super) fn prepared(&mut self, name: &str) -> Result<(), String> {
        let Some(script) = self.package().scripts.get(name) else { return Ok(()) };
        let unknown = || unknown_before(name, script);
        let folder = self.start.folder.clone();
        for command in commands(script).map_err(|_| unknown())? {
            if !matches!(command.joint, Joint::And | Joint::Then | Joint::End) {
                return Err(unknown());
            }
            self.before(name, &command)?;
        }
        self.start.folder = folder;
        Ok(())
    }

    /// A command before the one that starts the app.
    pub(super) fn before(&mut self, name: &str, command: &Command) -> Result<(), String> {
        let mut words = command.words.clone();
        if let [Word::Text(cd), Word::Text(folder)] = &words[..]
            && cd == "cd"
        {
            return self.enter(folder);
        }
        let is_exported = words.first().and_then(Word::text) == Some("export");
        words.drain(..usize::from(is_exported));
        let (mut env, mut notes) = (Vec::new(), Vec::new());
        unwrap(&mut words, &mut env, &mut notes)?;
        if words.is_empty() {
            // What is not exported is the shell's own, and no program's.
            self.start.env.extend(env.into_iter().filter(|_| is_exported));
            return Ok(());
        }
        if aside::is_nothing(&texts(&words)) {
            return Ok(());
        }
        let what = self.aside_of(&words, SCRIPT_DEPTH);
        let what = what.ok_or_else(|| unknown_before(name, &shown(&command.words)))?;
        if what == AsideKind::Build && !self.is_built(&words, SCRIPT_DEPTH) && !self.builds(&words, &env) {
            return Err(format!(
                "the script `{name}` runs `{}` before the app starts, and the build script does not: add it there",
                shown(&command.words)
            ));
        }
        self.set_aside(shown(&command.words), what);
        Ok(())
    }

    /// Has the build do what a start does first: one command of the root, without a shell.
    fn builds(&mut self, words: &[Word], env: &[(String, String)]) -> bool {
        let texts = texts(words);
        let is_plain =
            texts.len() == words.len() && !texts.iter().any(|text| text.contains(char::is_whitespace));
        let can = is_plain && env.is_empty() && self.project.is_empty() && self.start.folder.is_empty();
        if can {
            self.start.builds.push(texts.iter().map(|&text| text.to_owned()).collect());
        }
        can
    }

    /// What a command does besides starting; none where that is not known.
    fn aside_of(&self, words: &[Word], depth: usize) -> Option<AsideKind> {
        let texts = texts(words);
        if let Some(called) = called(&texts) {
            return aside::of_script(called.script)
                .or_else(|| self.aside_of_script(called.script, depth.checked_sub(1)?));
        }
        aside::of_command(&texts)
    }

    /// Whether the build of the image does what a command does: it is the build script, or runs in it.
    fn is_built(&self, words: &[Word], depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let texts = texts(words);
        let of_script = |name: &str| {
            let scripts = [&self.package().scripts, &self.facts.package.scripts];
            let script = scripts.into_iter().find_map(|scripts| scripts.get(name));
            script.and_then(|script| commands(script).ok()).unwrap_or_default()
        };
        // Of another project nobody knows what its scripts are.
        let own = called(&texts).filter(|called| called.project.is_none());
        let has_build = self.facts.package.scripts.contains_key("build");
        if aside::is_nothing(&texts) || has_build && own.as_ref().is_some_and(|own| own.script == "build") {
            return true;
        }
        let mut open = vec!["build".to_owned()];
        let mut seen = Vec::new();
        while let Some(name) = open.pop() {
            for command in of_script(&name).iter().filter_map(|command| bare(&command.words)) {
                if command == words {
                    return true;
                }
                let next = called(&self::texts(&command)).map(|called| called.script.to_owned());
                open.extend(next.filter(|next| !seen.contains(next)));
            }
            seen.push(name);
        }
        // A script whose every command the build runs.
        own.is_some_and(|called| {
            let commands = of_script(called.script);
            let is_built =
                |command: &Command| bare(&command.words).is_some_and(|words| self.is_built(&words, depth));
            !commands.is_empty() && commands.iter().all(is_built)
        })
    }

    /// The same of a script: by its name, or by all that it runs.
    fn aside_of_script(&self, name: &str, depth: usize) -> Option<AsideKind> {
        let script = self.package().scripts.get(name)?;
        let commands = commands(script).ok()?;
        let kinds: Option<Vec<AsideKind>> = commands
            .iter()
            .map(|command| {
                let mut words = command.words.clone();
                unwrap(&mut words, &mut Vec::new(), &mut Vec::new()).ok()?;
                self.aside_of(&words, depth)
            })
            .collect();
        let kinds = kinds?;
        kinds.iter().find(|kind| **kind == AsideKind::Migration).or(kinds.first()).copied()
    }
}

fn unknown_before(script: &str, command: &str) -> String {
    format!("the script `{script}` runs `{command}` before the app starts, and kiln does not know what for")
}
