//! The credentials of the package manager: named, not written.

use crate::commands::Step;
use crate::secrets::variables;
use crate::{Project, Recipe};

/// Variables that the `.npmrc` takes its credentials from.
pub(crate) fn install_secrets(project: &Project, recipe: &Recipe) -> Vec<String> {
    let mut names: Vec<String> = project.npmrc.as_deref().map(variables).unwrap_or_default();
    names.retain(|name| {
        crate::secrets::is_secret(name) || recipe.secrets.iter().any(|secret| secret.name == *name)
    });
    names
}

/// The `.npmrc` that the old file wrote while building: it names the variable, the builder is given its value.
pub(crate) fn npmrc(project: &Project, recipe: &Recipe) -> Option<String> {
    if project.npmrc.is_some() {
        return None;
    }
    let mut lines: Vec<String> = Vec::new();
    for ran in &recipe.runs {
        let Step::Credential(text) = &ran.step else { continue };
        let script = kiln_lint::shell::parse(text);
        for command in &script.commands {
            let words: Vec<&str> = command.words.iter().map(|word| word.value.as_str()).collect();
            let found: Vec<String> = match words.as_slice() {
                ["echo" | "printf", rest @ ..] => rest
                    .iter()
                    .filter(|word| !word.starts_with('-'))
                    .flat_map(|word| word.split("\\n"))
                    .map(str::to_owned)
                    .collect(),
                ["npm" | "pnpm" | "yarn", "config", "set", key, value] => vec![format!("{key}={value}")],
                ["npm" | "pnpm", "config", "set", pair] | ["npm", "set", pair] => vec![(*pair).to_owned()],
                _ => Vec::new(),
            };
            lines.extend(found.into_iter().filter(|line| line.contains('=')).map(|line| braced(&line)));
        }
    }
    lines.dedup();
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// `$NAME` as npm reads it: `${NAME}`.
fn braced(text: &str) -> String {
    let mut out = text.trim().to_owned();
    for name in variables(text) {
        out = out.replace(&format!("${name}"), &format!("${{{name}}}"));
    }
    out
}
