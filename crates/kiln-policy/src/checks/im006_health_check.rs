use kiln_oci::ContainerConfig;

use crate::verdict::{fail, not_applicable, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM006",
    slug: "no-health-check",
    title: "Health check",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM006.md"),
    check,
};

const CURE: &str = "in kiln.toml: [image] health = \"/healthz\"";

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let config = &evidence.config()?.config;
    match test(config) {
        Some(("CMD-SHELL", _)) if settings.asks("IM002") => {
            fail("the health check runs in a shell, and a hardened image has none", CURE)
        }
        Some((_, command)) => pass(command),
        None if config.exposed_ports.is_empty() => {
            not_applicable("no port is exposed, so there is nobody to ask")
        }
        None => {
            let ports: Vec<&str> = config.exposed_ports.keys().map(String::as_str).collect();
            fail(format!("{} is exposed, and there is no health check", ports.join(", ")), CURE)
        }
    }
}

/// How the health check runs, and what; `None` where there is none. An empty test is one to inherit, and nothing did.
fn test(config: &ContainerConfig) -> Option<(&str, String)> {
    let (kind, command) = config.healthcheck.as_ref()?.test.split_first()?;
    let is_one = kind != "NONE" && !command.is_empty();
    is_one.then(|| (kind.as_str(), shown(&command.join(" "))))
}

/// The first line's worth of a command.
fn shown(command: &str) -> String {
    const MOST: usize = 60;
    let line: String =
        command.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MOST).collect();
    if line.chars().count() < MOST { line } else { format!("{}…", line.trim_end()) }
}
