//! The commands as `kiln --help` lists them, and the kinds of result that they write.

use kiln_report::Kind;

/// Commands by what they are for; within a group, the ones that are needed first come first.
pub(crate) static GROUPS: &[(&str, &[&str])] = &[
    ("Make images", &["ship", "build", "plan", "fix", "base"]),
    ("Look at images and Dockerfiles", &["scan", "sbom", "lint", "check", "explain"]),
    ("Sign and verify", &["sign", "attest", "verify", "keygen", "trust"]),
    ("Move and keep images", &["push", "pull", "copy", "images", "rm", "prune"]),
    ("This machine", &["db", "doctor", "version", "help"]),
];

/// The kind of result that a command writes in more formats than those that all have.
pub(crate) fn kind(command: &str) -> Option<Kind> {
    match command {
        "check" | "lint" => Some(Kind::Lint),
        "scan" => Some(Kind::Scan),
        "ship" => Some(Kind::Card),
        _ => None,
    }
}

/// Whether a command can write its result like this. Every one can for people, and as JSON.
pub(crate) fn takes(command: &str, format: &kiln_report::Format) -> bool {
    matches!(format.name, "human" | "json") || kind(command).is_some_and(|kind| format.knows(kind))
}
