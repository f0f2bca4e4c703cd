//! Instructions that change the configuration alone.

use kiln_dockerfile::{
    ArgDecl, Check, Command, Form, Healthcheck, Instruction, Pairs, Spanned, parse_ports, parse_signal,
};
use serde_json::{Map, Value};

use super::stage::StageState;
use super::{Inputs, Lowerer, Op};
use crate::Error;
use crate::engine::Dir;
use crate::error::ErrorKind;

impl<I: Inputs> Lowerer<'_, I> {
    /// Follows one instruction.
    pub(super) fn instruction(
        &mut self,
        state: &mut StageState,
        instruction: &Instruction,
    ) -> Result<(), Error> {
        match &instruction.command {
            Command::Run(run) => self.run(state, instruction, run),
            Command::Copy(copy) => self.copy(state, instruction, copy),
            Command::Add(add) => self.add(state, instruction, add),
            Command::Arg(args) => self.arg(state, args),
            Command::Env(pairs) => self.env(state, pairs),
            Command::Label(pairs) => self.label(state, pairs),
            Command::Workdir(path) => self.workdir(state, path),
            Command::Expose(ports) => self.expose(state, ports),
            Command::Volume(paths) => self.volume(state, paths),
            Command::User(user) => {
                let user = self.expand(&user.value, &state.scope)?;
                state.note(format!("USER {user}"), None);
                state.config.config.user = user;
                Ok(())
            }
            Command::StopSignal(signal) => {
                let signal = self.expand(&signal.value, &state.scope)?;
                if parse_signal(&signal).is_none() {
                    return Err(Error::refused(format!("`{signal}` is no signal"), None));
                }
                state.note(format!("STOPSIGNAL {signal}"), None);
                state.config.config.stop_signal = Some(signal);
                Ok(())
            }
            Command::Cmd(form) => {
                let words = words(form, state);
                state.note(format!("CMD {}", go_quoted(&words)), None);
                state.config.config.cmd = (!words.is_empty()).then_some(words);
                state.config.config.other.insert("ArgsEscaped".to_owned(), Value::Bool(true));
                state.cmd_set = true;
                Ok(())
            }
            Command::Entrypoint(form) => {
                let words = words(form, state);
                state.note(format!("ENTRYPOINT {}", go_quoted(&words)), None);
                state.config.config.entrypoint = (!words.is_empty()).then_some(words);
                if !state.cmd_set {
                    state.config.config.cmd = None;
                }
                Ok(())
            }
            Command::Shell(words) => {
                let words: Vec<String> = words.iter().map(|word| word.value.clone()).collect();
                state.note(format!("SHELL [{}]", words.join(" ")), None);
                state.config.config.shell = Some(words);
                Ok(())
            }
            Command::Healthcheck(check) => {
                state.config.config.healthcheck = Some(healthcheck(check));
                state.note(instruction.original.clone(), None);
                Ok(())
            }
            Command::Onbuild(trigger) => {
                let list =
                    state.config.config.other.entry("OnBuild").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.push(Value::String(onbuild_text(instruction, trigger)));
                }
                state.note(instruction.original.clone(), None);
                Ok(())
            }
            Command::Maintainer(name) => {
                state.config.author = Some(name.value.clone());
                state.note(format!("MAINTAINER {}", name.value), None);
                Ok(())
            }
            Command::From(_) | Command::Unknown | Command::Invalid => {
                Err(Error::refused("no builder can follow this instruction", None))
            }
        }
    }

    fn arg(&self, state: &mut StageState, args: &[ArgDecl]) -> Result<(), Error> {
        let failed = |source| ErrorKind::Variables { what: "replace the variables of the default", source };
        let declared = state.scope.declare(args, self.file.escape).map_err(failed)?;
        let shown = declared.iter().zip(args).map(|((name, value), arg)| match (value, &arg.default) {
            // What comes from outside the stage is no part of its history.
            (Some(value), default) if default.is_some() || self.request.build_args.contains_key(name) => {
                format!("{name}={value}")
            }
            _ => name.clone(),
        });
        let text = format!("ARG {}", shown.collect::<Vec<_>>().join(" "));
        state.note(text, None);
        Ok(())
    }

    fn pairs(&self, state: &StageState, pairs: &Pairs) -> Result<Vec<(String, String)>, Error> {
        let expand = |word: &Spanned<String>| self.expand(&word.value, &state.scope);
        pairs.pairs.iter().map(|(name, value)| Ok((expand(name)?, expand(value)?))).collect()
    }

    fn env(&self, state: &mut StageState, pairs: &Pairs) -> Result<(), Error> {
        let pairs = self.pairs(state, pairs)?;
        state.note(format!("ENV {}", shown(&pairs)), None);
        for (name, value) in pairs {
            let start = format!("{name}=");
            let pair = format!("{name}={value}");
            match state.config.config.env.iter_mut().find(|pair| pair.starts_with(&start)) {
                Some(old) => *old = pair,
                None => state.config.config.env.push(pair),
            }
            state.scope.set(name, value);
        }
        Ok(())
    }

    fn label(&self, state: &mut StageState, pairs: &Pairs) -> Result<(), Error> {
        let pairs = self.pairs(state, pairs)?;
        state.note(format!("LABEL {}", shown(&pairs)), None);
        state.config.config.labels.extend(pairs);
        Ok(())
    }

    fn workdir(&mut self, state: &mut StageState, path: &Spanned<String>) -> Result<(), Error> {
        let path = self.expand(&path.value, &state.scope)?;
        let clean = format!("/{}", crate::engine::rooted(&state.path(&path))?);
        // A path that is absolute stays as it is written.
        let path = if path.starts_with('/') { path } else { clean.clone() };
        state.config.config.working_dir.clone_from(&path);
        let step = (clean != "/").then(|| {
            let user = state.config.config.user.clone();
            self.push(Some(state.top), Op::Dir(Dir { path: path.clone(), user }), &state.origin)
        });
        state.top = step.unwrap_or(state.top);
        state.note(format!("WORKDIR {path}"), step);
        Ok(())
    }

    fn words(&self, state: &StageState, words: &[Spanned<String>]) -> Result<Vec<String>, Error> {
        let failed = |source| Error::from(ErrorKind::Variables { what: "replace the variables", source });
        let mut all = Vec::new();
        for word in words {
            let escape = self.file.escape;
            all.extend(kiln_dockerfile::expand_words(&word.value, &state.scope, escape).map_err(failed)?);
        }
        Ok(all)
    }

    fn expose(&self, state: &mut StageState, ports: &[Spanned<String>]) -> Result<(), Error> {
        let words = self.words(state, ports)?;
        for word in &words {
            let ports = parse_ports(word).map_err(|why| Error::refused(format!("`{word}` {why}"), None))?;
            state.config.config.exposed_ports.extend(ports.into_iter().map(|port| (port, Map::new())));
        }
        let all: Vec<String> =
            state.config.config.exposed_ports.keys().map(|port| format!("{port}:{{}}")).collect();
        state.note(format!("EXPOSE map[{}]", all.join(" ")), None);
        Ok(())
    }

    fn volume(&self, state: &mut StageState, paths: &[Spanned<String>]) -> Result<(), Error> {
        let paths = self.words(state, paths)?;
        if paths.iter().any(|path| path.trim().is_empty()) {
            return Err(Error::refused("VOLUME has an empty path", None));
        }
        state.note(format!("VOLUME [{}]", paths.join(" ")), None);
        state.config.config.volumes.extend(paths.into_iter().map(|path| (path, Map::new())));
        Ok(())
    }
}

/// A command with the shell that runs it.
fn words(form: &Form, state: &StageState) -> Vec<String> {
    match form {
        Form::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
        Form::Shell(line) => state.shell().into_iter().chain([line.value.clone()]).collect(),
    }
}

fn healthcheck(check: &Healthcheck) -> kiln_oci::Healthcheck {
    let Healthcheck::Command(Check { form, interval, timeout, start_period, start_interval, retries }) =
        check
    else {
        return kiln_oci::Healthcheck { test: vec!["NONE".to_owned()], ..kiln_oci::Healthcheck::default() };
    };
    let test = match form {
        Form::Exec(words) => {
            std::iter::once("CMD".to_owned()).chain(words.iter().map(|word| word.value.clone())).collect()
        }
        Form::Shell(line) => vec!["CMD-SHELL".to_owned(), line.value.clone()],
    };
    let set = |value: u64| (value > 0).then_some(value);
    kiln_oci::Healthcheck {
        test,
        interval: set(*interval),
        timeout: set(*timeout),
        start_period: set(*start_period),
        start_interval: set(*start_interval),
        retries: (*retries > 0).then_some(*retries),
    }
}

/// What stands after `ONBUILD`, in one line.
fn onbuild_text(instruction: &Instruction, trigger: &Instruction) -> String {
    let text = &instruction.original;
    let at = text.to_ascii_uppercase().find(&trigger.name()).unwrap_or_default();
    let rest = text.get("ONBUILD".len()..).map_or("", str::trim);
    let line = if rest.is_empty() { &text[at..] } else { rest };
    let bodies = instruction.heredocs.iter().map(|heredoc| format!("\n{}{}", heredoc.content, heredoc.name));
    std::iter::once(line.to_owned()).chain(bodies).collect()
}

fn shown(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// A list as histories show it.
fn go_quoted(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", quoted.join(" "))
}
