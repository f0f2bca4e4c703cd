//! The health check, asked by `node`: no shell, no curl.

use kiln_dockerfile::{Form, Healthcheck};
use kiln_plan::{Health, find_health, find_port, health_command};

use crate::{Project, Recipe, RewriteTarget};

/// A `HEALTHCHECK`, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) text: String,
    pub(crate) comments: Vec<String>,
    /// What it asks with now, where the old one asked otherwise.
    pub(crate) because: Option<String>,
}

const FLAGS: &str = "--interval=30s --timeout=5s --start-period=10s --retries=3";

pub(crate) fn health(project: &Project, recipe: &Recipe, target: &RewriteTarget, app: &str) -> Option<Check> {
    let Some(set) = &recipe.health else {
        let port = exposed(recipe).or_else(|| find_port(&project.facts, app))?;
        let found = routed(project).or_else(|| find_health(&project.facts, app, port))?;
        let because = Some("there was no health check; this one needs no shell".to_owned());
        return Some(check(FLAGS, &command(&found, port, target), Vec::new(), because));
    };
    let flags = if set.flags.is_empty() { FLAGS.to_owned() } else { set.flags.join(" ") };
    let Healthcheck::Command(old) = &set.value else {
        return Some(Check {
            text: "HEALTHCHECK NONE".to_owned(),
            comments: set.comments.clone(),
            because: None,
        });
    };
    if let Form::Exec(words) = &old.form
        && let Some((first, rest)) = words.split_first()
        && first.value.rsplit('/').next() == Some("node")
    {
        let mut argv = vec![target.node.clone()];
        argv.extend(rest.iter().map(|word| word.value.clone()));
        return Some(check(&flags, &argv, set.comments.clone(), None));
    }
    let text = match &old.form {
        Form::Exec(words) => words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" "),
        Form::Shell(line) => line.value.clone(),
    };
    if let Some(file) = text.trim().strip_prefix("node ").and_then(|rest| rest.split([' ', '|', '&']).next())
    {
        let argv = vec![target.node.clone(), file.to_owned()];
        let because = Some("the health check needs no shell".to_owned());
        return Some(check(&flags, &argv, set.comments.clone(), because));
    }
    let (port, path) = address(&text).unwrap_or((None, None));
    let port = port.or_else(|| exposed(recipe)).or_else(|| find_port(&project.facts, app))?;
    let health = match path {
        Some(path) => Health::Http { path },
        None => find_health(&project.facts, app, port)?,
    };
    let program = text.split_whitespace().next().unwrap_or_default().to_owned();
    let because = Some(format!("node asks for health, `{program}` need not be in the image"));
    Some(check(&flags, &command(&health, port, target), set.comments.clone(), because))
}

/// The health path of Next.js, whose routes are files.
fn routed(project: &Project) -> Option<Health> {
    if !project.depends_on("next") {
        return None;
    }
    let path = project.facts.files.iter().find_map(|file| {
        let file = file.as_str().trim_start_matches("src/");
        let of_app =
            file.strip_prefix("app/").and_then(|rest| rest.rsplit_once("/route.")).map(|(path, _)| path);
        let of_pages =
            file.strip_prefix("pages/").and_then(|rest| rest.rsplit_once('.')).map(|(path, _)| path);
        let path = of_app.or(of_pages)?;
        let last = path.rsplit('/').next()?;
        matches!(last, "health" | "healthz" | "livez" | "ping").then(|| format!("/{path}"))
    })?;
    Some(Health::Http { path })
}

fn command(health: &Health, port: u16, target: &RewriteTarget) -> Vec<String> {
    let mut argv = health_command(health, port);
    if let Some(first) = argv.first_mut() {
        first.clone_from(&target.node);
    }
    argv
}

fn check(flags: &str, argv: &[String], comments: Vec<String>, because: Option<String>) -> Check {
    let text = format!("HEALTHCHECK {flags} \\\n  CMD {}", crate::json::json(argv));
    Check { text, comments, because }
}

/// Port and path of the address that `curl` or `wget` asks.
fn address(text: &str) -> Option<(Option<u16>, Option<String>)> {
    let at = text.find("http://").or_else(|| text.find("https://"))?;
    let rest = text[at..].split_once("://")?.1;
    let end = rest.find([' ', '"', '\'', '|', ')', '>']).unwrap_or(rest.len());
    let address = &rest[..end];
    let (host, path) = address.find('/').map_or((address, "/"), |slash| address.split_at(slash));
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, port.parse().ok()));
    let is_here = matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0" | "$HOSTNAME");
    is_here.then(|| (port, Some(path.to_owned())))
}

/// The first port of `EXPOSE`.
fn exposed(recipe: &Recipe) -> Option<u16> {
    let expose = recipe.kept.iter().find(|kept| kept.kind == crate::kept::Kind::Expose)?;
    expose.text.split_whitespace().nth(1)?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_found_in_commands() {
        let found = |text: &str| address(text);
        assert_eq!(
            found("curl -f http://localhost:3000/health || exit 1"),
            Some((Some(3000), Some("/health".into())))
        );
        assert_eq!(found("wget -qO- 'http://127.0.0.1/'"), Some((None, Some("/".into()))));
        assert_eq!(found("curl http://localhost:${PORT}/x"), Some((None, Some("/x".into()))));
        assert_eq!(found("curl https://example.invalid/"), None);
        assert_eq!(found("pgrep node"), None);
    }
}
