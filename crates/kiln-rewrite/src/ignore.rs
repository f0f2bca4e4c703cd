//! `.dockerignore`: what must not be in the context, and what must.

use kiln_dockerfile::Ignore;

use crate::Project;
use crate::layout::Layout;

/// Patterns, with a path that each must leave out.
const PATTERNS: [(&str, &str); 9] = [
    ("**/.git", ".git/config"),
    ("**/node_modules", "node_modules/x/index.js"),
    ("**/.env*", ".env"),
    ("**/*.pem", "server.pem"),
    ("**/*.key", "server.key"),
    ("**/.aws", ".aws/credentials"),
    ("**/.ssh", ".ssh/id_ed25519"),
    ("**/*.log", "npm-debug.log"),
    ("**/coverage", "coverage/index.html"),
];

/// The new text, where the old one leaves anything to be wished for.
pub(crate) fn dockerignore(project: &Project, layout: Option<&Layout>, secret_npmrc: bool) -> Option<String> {
    let old = project.dockerignore.clone().unwrap_or_default();
    let ignore = Ignore::parse(&old);
    let mut missing: Vec<String> = Vec::new();
    for (pattern, probe) in PATTERNS {
        let ending = pattern.trim_start_matches("**/*");
        // A certificate that the sources open by its name belongs to the app.
        let is_opened = ending.len() < pattern.len()
            && project
                .facts
                .files
                .iter()
                .any(|file| file.as_str().ends_with(ending) && project.mentions(file.file_name()));
        if !ignore.is_ignored(probe) && !is_opened {
            missing.push(pattern.to_owned());
        }
    }
    if secret_npmrc && !ignore.is_ignored(".npmrc") {
        missing.push(".npmrc".to_owned());
    }
    for output in layout.iter().flat_map(|layout| &layout.outputs) {
        let is_source = project.has_folder(output) && output.ends_with("lib");
        if !ignore.is_ignored(&format!("{output}/x")) && !is_source {
            missing.push(output.clone());
        }
    }
    let lock = project.lock_name().unwrap_or("package.json");
    let hidden =
        [lock, "package.json", ".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml"].into_iter().filter(|name| {
            (*name == lock || project.has(name))
                && ignore.is_ignored(name)
                && !(*name == ".npmrc" && secret_npmrc)
        });
    missing.extend(hidden.map(|name| format!("!{name}")));
    if missing.is_empty() {
        return None;
    }
    let mut text = old;
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str("# Not for the image: credentials, and what it gets from elsewhere\n");
    for pattern in missing {
        text.push_str(&pattern);
        text.push('\n');
    }
    Some(text)
}
