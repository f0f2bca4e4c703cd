//! Instructions that stay as they are.

use kiln_dockerfile::{Command, Dockerfile, Instruction, Pairs, Spanned};

use crate::secrets::is_secret;

/// An instruction of the old file that the new one has, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) comments: Vec<String>,
    /// Variables that it sets.
    pub(crate) names: Vec<String>,
}

/// What kind of instruction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Arg,
    Env,
    Label,
    Expose,
    Volume,
    Signal,
}

/// Variables that only a package manager or the old base needs.
const TOOLING: [&str; 12] = [
    "NODE_ENV",
    "NPM_CONFIG_LOGLEVEL",
    "npm_config_loglevel",
    "NPM_CONFIG_PREFIX",
    "PNPM_HOME",
    "YARN_VERSION",
    "NODE_VERSION",
    "DEBIAN_FRONTEND",
    "CI",
    "NPM_CONFIG_UPDATE_NOTIFIER",
    "HOME",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT",
];

/// The instruction as the new file has it, without secrets and what only tools need; `None` where nothing is left.
pub(crate) fn keep(file: &Dockerfile, instruction: &Instruction) -> Option<Kept> {
    let comments = comments(instruction);
    let verbatim = || file.text_of(instruction.span).to_owned();
    let (kind, text, names) = match &instruction.command {
        Command::Arg(args) => {
            let left: Vec<_> = args.iter().filter(|arg| !is_secret(&arg.name.value)).collect();
            let names: Vec<String> = left.iter().map(|arg| arg.name.value.clone()).collect();
            if names.is_empty() || names.iter().all(|name| name == "NODE_ENV" || name == "DEBIAN_FRONTEND") {
                return None;
            }
            let word = |arg: &&kiln_dockerfile::ArgDecl| match &arg.default {
                Some(default) => format!("{}={}", arg.name.value, default.value),
                None => arg.name.value.clone(),
            };
            let text = format!("ARG {}", left.iter().map(word).collect::<Vec<_>>().join(" "));
            (Kind::Arg, text, names)
        }
        Command::Env(pairs) => {
            let left: Vec<_> = pairs.pairs.iter().filter(|(name, value)| is_wanted(name, value)).collect();
            let names: Vec<String> = left.iter().map(|(name, _)| name.value.clone()).collect();
            if names.is_empty() {
                return None;
            }
            let is_whole = left.len() == pairs.pairs.len() && !pairs.is_legacy;
            let text = if is_whole { verbatim() } else { format!("ENV {}", join(&left, pairs)) };
            (Kind::Env, text, names)
        }
        Command::Label(pairs) if pairs.is_legacy => {
            let all: Vec<_> = pairs.pairs.iter().collect();
            (Kind::Label, format!("LABEL {}", join(&all, pairs)), Vec::new())
        }
        Command::Label(_) => (Kind::Label, verbatim(), Vec::new()),
        Command::Maintainer(name) => {
            let name = name.value.trim_matches('"').replace('"', "\\\"");
            (Kind::Label, format!("LABEL org.opencontainers.image.authors=\"{name}\""), Vec::new())
        }
        Command::Expose(_) => (Kind::Expose, verbatim(), Vec::new()),
        Command::Volume(_) => (Kind::Volume, verbatim(), Vec::new()),
        Command::StopSignal(_) => (Kind::Signal, verbatim(), Vec::new()),
        _ => return None,
    };
    Some(Kept { kind, text, comments, names })
}

fn is_wanted(name: &Spanned<String>, value: &Spanned<String>) -> bool {
    let is_path = name.value == "PATH"
        && ["node_modules/.bin", "PNPM_HOME", ".yarn", ".npm"].iter().any(|part| value.value.contains(part));
    !is_secret(&name.value) && !TOOLING.contains(&name.value.as_str()) && !is_path
}

fn join(pairs: &[&(Spanned<String>, Spanned<String>)], all: &Pairs) -> String {
    let word = |(name, value): &&(Spanned<String>, Spanned<String>)| {
        let needs_quotes = all.is_legacy && value.value.contains(char::is_whitespace);
        let is_quoted = value.value.starts_with('"');
        if needs_quotes && !is_quoted {
            format!("{}=\"{}\"", name.value, value.value.replace('"', "\\\""))
        } else {
            format!("{}={}", name.value, value.value)
        }
    };
    pairs.iter().map(word).collect::<Vec<_>>().join(" \\\n    ")
}

/// The comments above an instruction, one line each, without those that speak to other tools.
pub(crate) fn comments(instruction: &Instruction) -> Vec<String> {
    let lines = instruction.comments.iter().map(|comment| comment.value.trim().to_owned());
    lines.filter(|line| !line.is_empty() && !is_pragma(line)).collect()
}

/// Comments that a rewrite wrote itself, and writes again.
const OWN: [&str; 6] = [
    "base: what ",
    "deps: everything",
    "build: the app",
    "prod-deps: what ",
    "runtime: ",
    "what the app writes to, empty",
];

fn is_pragma(line: &str) -> bool {
    if OWN.iter().any(|start| line.starts_with(start)) {
        return true;
    }
    ["hadolint ", "check=", "kiln: ", "kiln allow", "trivy:", "syntax=", "escape="]
        .iter()
        .any(|start| line.starts_with(start))
}
