use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF050",
    slug: "secret_in_variable",
    title: "A secret is in a variable",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &["DL3064", "SecretsUsedInArgOrEnv", "DS-0031"],
    page: include_str!("../../tests/rules/DF050.md"),
    check,
};

const WORDS: [&str; 14] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "passwd",
    "pword",
    "secret",
    "token",
    "pass",
    "pwd",
    "passphrase",
    "authtoken",
];
/// A name with one of these says where a secret is, or that it is none.
const HARMLESS: [&str; 16] = [
    "public",
    "file",
    "version",
    "path",
    "id",
    "url",
    "uri",
    "name",
    "host",
    "type",
    "length",
    "algorithm",
    "ttl",
    "expiry",
    "expires",
    "dir",
];
/// What bundlers put into files for browsers.
const PUBLISHED: [&str; 6] =
    ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "NUXT_PUBLIC_", "PUBLIC_", "EXPO_PUBLIC_"];
/// How tokens of well-known services start.
const TOKENS: [&str; 12] = [
    "npm_",
    "ghp_",
    "github_pat_",
    "gho_",
    "AKIA",
    "sk_live_",
    "sk-ant-",
    "xoxb-",
    "glpat-",
    "AIza",
    "-----BEGIN",
    "rk_live_",
];

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let globals = subject.file.instructions.iter().take_while(|instruction| instruction.name() != "FROM");
    let steps = subject.model.steps().map(|(_, step)| step.instruction);
    for instruction in globals.chain(steps) {
        match &instruction.command {
            Command::Arg(args) => {
                for arg in args {
                    judge("ARG", &arg.name, arg.default.as_ref().map(|value| value.value.as_str()), sink);
                }
            }
            Command::Env(env) => {
                env.pairs.iter().for_each(|(name, value)| judge("ENV", name, Some(&value.value), sink));
            }
            _ => {}
        }
    }
}

fn judge(kind: &str, name: &kiln_dockerfile::Spanned<String>, value: Option<&str>, sink: &mut Sink<'_>) {
    let bare = value.map(|value| value.trim_matches(['"', '\'']));
    if bare.is_some_and(|bare| {
        TOKENS.iter().any(|token| bare.starts_with(token) && bare.len() >= token.len() + 12)
    }) {
        sink.at(name.span, format!("the value of {} is a credential", name.value))
            .help("revoke it now; then pass it as a secret: RUN --mount=type=secret,id=…");
        return;
    }
    let lower = name.value.to_lowercase();
    let words: Vec<&str> = lower.split('_').collect();
    let is_secret =
        words.iter().any(|word| WORDS.contains(word)) && !words.iter().any(|word| HARMLESS.contains(word));
    // Where it is, and what it is not, can be told.
    let is_harmless = bare.is_some_and(|bare| {
        bare.starts_with('/')
            || bare.starts_with("file:")
            || matches!(bare, "true" | "false" | "0" | "1" | "none")
    });
    if !is_secret || is_harmless {
        return;
    }
    let is_published = PUBLISHED.iter().any(|prefix| name.value.starts_with(prefix));
    let message = if kind == "ARG" {
        format!("{} stays in the history of the image and in caches", name.value)
    } else {
        format!("{} is readable in the image by everyone who can pull it", name.value)
    };
    let finding = sink.at(name.span, message);
    finding.help("pass it as a secret where it is used: RUN --mount=type=secret,id=token,env=TOKEN …, and at run time from outside");
    if is_published {
        finding.level(Level::Info).help("browsers get its value; be sure that it is meant for them");
    } else if kind == "ENV" && bare == Some("") {
        finding.level(Level::Warning);
    }
}
