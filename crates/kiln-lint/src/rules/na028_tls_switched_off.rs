use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "NA028",
    slug: "tls_switched_off",
    title: "Certificates are not checked",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA028.md"),
    check,
};

const SWITCHES: [(&str, &[&str]); 6] = [
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"]),
    ("NPM_CONFIG_STRICT_SSL", &["false"]),
    ("npm_config_strict_ssl", &["false"]),
    ("YARN_STRICT_SSL", &["false"]),
    ("GIT_SSL_NO_VERIFY", &["1", "true"]),
    ("PYTHONHTTPSVERIFY", &["0"]),
];

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let is_off = |name: &str, value: &str| {
        SWITCHES
            .iter()
            .any(|(known, values)| *known == name && values.contains(&value.trim_matches(['"', '\''])))
    };
    for (_, step) in subject.model.steps() {
        if let Command::Env(env) = &step.instruction.command {
            for (name, value) in env.pairs.iter().filter(|(name, value)| is_off(&name.value, &value.value)) {
                let finding = sink.at(
                    name.span.to(value.span),
                    format!("{} switches the check of certificates off", name.value),
                );
                finding.help("remove it; give Node the certificate of your proxy with NODE_EXTRA_CA_CERTS");
                if env.pairs.len() == 1 {
                    finding.not_safe("remove it", vec![subject.remove(step.instruction)]);
                } else {
                    finding.fix = None;
                }
            }
        }
        for command in step.commands() {
            for (name, value) in command.env.iter().filter(|(name, value)| is_off(name, &value.value)) {
                sink.at(step.word(value), format!("{name} switches the check of certificates off"));
            }
            let args = command.args();
            let is_config = matches!(command.program(), "npm" | "pnpm" | "yarn")
                && args
                    .iter()
                    .any(|arg| matches!(*arg, "strict-ssl=false" | "--strict-ssl=false" | "--no-strict-ssl"))
                || args.windows(2).any(|pair| pair == ["strict-ssl", "false"]);
            let is_git =
                command.program() == "git" && args.windows(2).any(|pair| pair == ["http.sslVerify", "false"]);
            if is_config || is_git {
                sink.at(step.command(command), "it switches the check of certificates off")
                    .help("remove it, and set `cafile` to the certificate of your proxy");
            }
            let plain = args.iter().any(|arg| arg.starts_with("--registry=http://"))
                || args.windows(2).any(|pair| matches!(pair, ["registry" | "--registry", address] if address.starts_with("http://")));
            if plain && matches!(command.program(), "npm" | "pnpm" | "yarn") {
                sink.at(
                    step.command(command),
                    "packages come over a connection that anyone on the way can change",
                )
                .help("use https://");
            }
            let flag = match command.program() {
                "curl" => command.flag(&["-k", "--insecure"]),
                "wget" => command.flag(&["--no-check-certificate"]),
                _ => None,
            };
            if let Some(flag) = flag {
                let finding = sink
                    .at(step.word(flag), format!("`{}` switches the check of certificates off", flag.value));
                finding.help("remove it, and give the certificate of your proxy with --cacert");
                if step.can_edit(command) {
                    // With the blank before it.
                    let span = step.word(flag);
                    let start =
                        subject.file.text.get(..span.start).unwrap_or_default().trim_end_matches(' ').len();
                    finding.not_safe(
                        "remove it",
                        vec![Edit::replace(kiln_dockerfile::Span::new(start, span.end), "")],
                    );
                }
            }
        }
    }
}
