//! Who is here to log in: a job of a CI system, or somebody at the terminal.

use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::time::Duration;

use kiln_fetch::Redacted;
use kiln_sign::oidc::{Ambient, GithubActions, Person};

use crate::output;

/// What a CI system told this job. Sources: cosign, `pkg/providers`; GitLab CI/CD, `id_tokens`.
pub(super) fn job() -> Ambient {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let github = variable("ACTIONS_ID_TOKEN_REQUEST_URL").zip(variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    Ambient {
        token: variable("SIGSTORE_ID_TOKEN").map(Redacted::new),
        github: github.map(|(url, bearer)| GithubActions { url, bearer: Redacted::new(bearer) }),
    }
}

/// Whether somebody reads what is said, and could open a page.
pub(super) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Somebody at the terminal. What must be done is said even where kiln is told to be quiet.
pub(super) struct Desk;

impl Person for Desk {
    fn visit(&self, url: &str) {
        output::talk(&format!("Log in at this page; it comes back by itself:\n  {url}"));
        let browser = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty());
        let mut command = Command::new(browser.unwrap_or_else(|| "xdg-open".into()));
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Whoever has no browser here opens the page by hand.
        if let Ok(mut child) = command.spawn() {
            std::thread::spawn(move || child.wait());
        }
    }

    fn enter(&self, url: &str, code: &str) {
        output::talk(&format!(
            "Log in at this page, on any machine:\n  {url}\nand type this code:\n  {code}"
        ));
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
