//! The port the app listens on and how its health is asked for.

use kiln_node::AppFacts;

use crate::{Health, HealthSetting, Overrides, Reason, Start};

/// Paths that ask for health, the most telling first.
const PATHS: [&str; 9] = [
    "/healthz",
    "/health",
    "/livez",
    "/readyz",
    "/api/health",
    "/api/healthz",
    "/_health",
    "/-/health",
    "/ping",
];

/// The port that the project in `app` (empty for the root) listens on, as far as its sources show.
pub fn find_port(facts: &AppFacts, app: &str) -> Option<u16> {
    choose_port(facts, &Overrides::default(), app, &Start::default(), &mut Vec::new())
}

/// How the health of the project in `app` is asked for, on the port it listens on.
pub fn find_health(facts: &AppFacts, app: &str, port: u16) -> Option<Health> {
    choose_health(facts, &Overrides::default(), app, Some(port), &mut Vec::new())
}

pub(crate) fn choose_port(
    facts: &AppFacts,
    overrides: &Overrides,
    app: &str,
    start: &Start,
    reasons: &mut Vec<Reason>,
) -> Option<u16> {
    let set = || start.env.iter().rev().find(|(name, _)| name == "PORT")?.1.parse().ok();
    let told = [
        (overrides.port, "kiln.toml says so"),
        (set(), "the start script sets PORT"),
        (start.port, "what starts says so, or listens there unless it is told another"),
    ];
    if let Some((Some(port), because)) = told.into_iter().find(|(port, _)| port.is_some()) {
        reasons.push(Reason::new("port", port.to_string(), because));
        return Some(port);
    }
    for (path, text) in sources(facts, app) {
        if let Some(port) = port_in(text) {
            reasons.push(Reason::new("port", port.to_string(), format!("{path} listens there")));
            return Some(port);
        }
    }
    if sources(facts, app).any(|(_, text)| text.contains(".listen(")) {
        let because =
            "the app listens, and nothing says where: write `port = 3000` under [image] in kiln.toml";
        reasons.push(Reason::told("port", "not known", because));
    }
    None
}

pub(crate) fn choose_health(
    facts: &AppFacts,
    overrides: &Overrides,
    app: &str,
    port: Option<u16>,
    reasons: &mut Vec<Reason>,
) -> Option<Health> {
    match &overrides.health {
        Some(HealthSetting::Off) => {
            reasons.push(Reason::new("health", "not asked for", "kiln.toml says so"));
            return None;
        }
        Some(HealthSetting::Path(path)) => {
            reasons.push(Reason::new("health", format!("GET {path}"), "kiln.toml says so"));
            return Some(Health::Http { path: path.clone() });
        }
        None => {}
    }
    port?;
    for wanted in PATHS {
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{wanted}{quote}"));
        let found = sources(facts, app).find(|(_, text)| quoted.iter().any(|quoted| text.contains(quoted)));
        if let Some((path, _)) = found {
            reasons.push(Reason::new("health", format!("GET {wanted}"), format!("{path} answers there")));
            return Some(Health::Http { path: wanted.to_owned() });
        }
    }
    reasons.push(Reason::new("health", "connect to the port", "no health path was found in the sources"));
    Some(Health::Tcp)
}

/// The sources of the app, without its tests; those of its own folder only.
fn sources<'a>(facts: &'a AppFacts, app: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    facts
        .sources
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .filter(move |(path, _)| {
            app.is_empty() || path.strip_prefix(app).is_some_and(|rest| rest.starts_with('/'))
        })
        .filter(|(path, _)| !path.split('/').any(|part| part.contains("test") || part.contains("spec")))
}

/// The number in `PORT ?? 3000`, `PORT || "3000"` or `.listen(3000`.
fn port_in(text: &str) -> Option<u16> {
    let after_port = text.match_indices("PORT").find_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches([' ', ')', ']', '"', '\'', '!', ',']);
        let rest = rest.strip_prefix("??").or_else(|| rest.strip_prefix("||"))?;
        leading_number(rest)
    });
    after_port.or_else(|| {
        text.match_indices(".listen(").find_map(|(at, word)| leading_number(&text[at + word.len()..]))
    })
}

fn leading_number(text: &str) -> Option<u16> {
    let text = text.trim_start_matches([' ', '"', '\'', '`', '(']);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    text[..end].replace('_', "").parse().ok().filter(|&port| port > 0)
}

/// The health check as `node` runs it: no shell, no curl.
pub fn health_command(health: &Health, port: u16) -> Vec<String> {
    let port = format!("process.env.PORT||{port}");
    let program = match health {
        Health::Http { path } => {
            let path = path.replace('\\', "\\\\").replace('\'', "\\'");
            format!(
                "fetch('http://127.0.0.1:'+({port})+'{path}').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
            )
        }
        Health::Tcp => format!(
            "require('net').connect({port}).on('connect',()=>process.exit(0)).on('error',()=>process.exit(1))"
        ),
    };
    ["/nodejs/bin/node", "-e", program.as_str()].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found() {
        for (text, port) in [
            ("const port = Number(process.env.PORT ?? 3000);", 3000),
            ("app.listen(process.env.PORT || '8080')", 8080),
            ("process.env['PORT'] || 5_000", 5000),
            ("server.listen(4000, () => {})", 4000),
            ("Number(process.env.PORT!) || 81", 81),
        ] {
            assert_eq!(port_in(text), Some(port), "{text}");
        }
        for text in ["PORT", "PORT ?? x", ".listen(port)", "PORT ?? 70000", "IMPORTANT || 3"] {
            assert_eq!(port_in(text).filter(|&port| port != 3), None, "{text}");
        }
    }
}
