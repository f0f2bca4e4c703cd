//! What the commands of `RUN` are for.

use kiln_lint::shell::{Joined, SimpleCommand, parse};

/// A command of `RUN`, by what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Installs the packages of the app.
    Install { is_frozen: bool, omits_dev: bool },
    /// Adds packages that no manifest lists.
    Adds(Vec<String>),
    /// Installs programs for everyone: `npm install --global`.
    Tools(Vec<String>),
    /// Gets a package manager: `corepack prepare pnpm@9.1.0`.
    Manager(Option<String>),
    /// Installs system packages.
    Packages { manager: &'static str, names: Vec<String> },
    /// Installs Node itself.
    Node(Option<u32>),
    /// Builds the app, or checks it.
    Build(String),
    /// Writes a credential of the package manager.
    Credential(String),
    /// Sets something in the package manager.
    Setting(String),
    /// Makes folders.
    Folders(Vec<String>),
    /// Gives files to somebody.
    Owner(Vec<String>),
    /// Makes files executable.
    Executable,
    /// Moves to a folder for the commands that follow.
    Enter(String),
    /// Changes the image in a way that is not understood.
    System(String),
    /// Nothing that the new file would not do by itself.
    Nothing,
}

/// The steps of a shell script, in order. A script that is not understood is one step.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let script = parse(text);
    let is_plain = script.commands.iter().all(|command| command.depth == 0 && !command.is_quoted);
    if !script.is_known || !is_plain || is_compound(text) || script.commands.is_empty() {
        return vec![opaque(text)];
    }
    pieces(text, &script.commands).into_iter().map(|piece| step(&piece)).collect()
}

/// Whether a script has conditions, loops or groups, whose parts are no commands of their own.
fn is_compound(text: &str) -> bool {
    const WORDS: [&str; 8] = ["if ", "for ", "while ", "until ", "case ", "then ", "{ ", "("];
    let mut starts = text.split([';', '\n', '&', '|']).map(str::trim_start);
    starts.any(|start| WORDS.iter().any(|word| start.starts_with(word)))
}

/// The branch that a script takes which asks for lock files: `if [ -f yarn.lock ]; then …; elif …; fi`. `has` says which
/// files there are. `None` where it is another kind of script.
pub(crate) fn branch(text: &str, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let inside = text.trim().strip_prefix("if ")?.strip_suffix("fi")?;
    if inside.contains(" if ") || inside.contains(" fi") {
        return None;
    }
    let mut rest = inside;
    loop {
        let (condition, after) = rest.split_once("then ")?;
        let file = condition.trim().trim_end_matches(';').trim();
        let file = file
            .strip_prefix("[ -f ")
            .and_then(|file| file.strip_suffix(']'))
            .or(file.strip_prefix("test -f "))?;
        let end = [" elif ", " else "].iter().filter_map(|word| after.find(word)).min();
        let body = after.get(..end.unwrap_or(after.len()))?.trim().trim_end_matches(';').trim();
        if has(file.trim().trim_matches(['"', '\''])) {
            return Some(body.to_owned());
        }
        let next = after.get(end?..)?.trim_start();
        if let Some(next) = next.strip_prefix("elif ") {
            rest = next;
        } else {
            let other = next.strip_prefix("else ")?;
            return Some(other.trim().trim_end_matches(';').trim().to_owned());
        }
    }
}

/// Commands that belong together: pipes, and what follows `||`.
struct Piece<'a> {
    text: String,
    commands: &'a [SimpleCommand],
}

fn pieces<'a>(text: &str, commands: &'a [SimpleCommand]) -> Vec<Piece<'a>> {
    let is_start = |at: usize| {
        at == 0
            || commands
                .get(at)
                .is_none_or(|next| matches!(next.joined, Joined::And | Joined::Then | Joined::First))
    };
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut text_from = 0;
    for at in 1..=commands.len() {
        if !is_start(at) {
            continue;
        }
        let end = commands[at - 1].range.end;
        // Redirections and the like may follow the last word; separators end the text.
        let text_to = commands.get(at).map_or(text.len(), |next| {
            let between = text.get(end..next.range.start).unwrap_or_default();
            let separator = ["&&", ";", "\n"].iter().filter_map(|one| between.find(one)).min();
            end + separator.unwrap_or(0)
        });
        let piece = text.get(text_from..text_to).unwrap_or_default();
        let piece = piece.trim_matches(|c: char| c.is_whitespace() || c == ';' || c == '&');
        pieces.push(Piece { text: piece.to_owned(), commands: &commands[from..at] });
        from = at;
        text_from = text_to;
    }
    pieces
}

/// What a script does that cannot be taken apart.
fn opaque(text: &str) -> Step {
    let builds =
        ["npm run ", "yarn ", "pnpm ", "npx ", "node ", "tsc"].iter().any(|word| text.contains(word));
    let installs =
        ["apt", "apk add", "npm ci", "npm i", "useradd", "adduser"].iter().any(|word| text.contains(word));
    if builds && !installs {
        Step::Build(text.trim().to_owned())
    } else {
        Step::System(text.trim().to_owned())
    }
}

fn step(piece: &Piece<'_>) -> Step {
    let text = piece.text.as_str();
    let Some(first) = piece.commands.first() else { return Step::Nothing };
    if text.contains("nodesource") || text.contains("nvm-sh/nvm") || text.contains("setup_") {
        let line = text.split("setup_").nth(1).and_then(|rest| rest.split('.').next()?.parse().ok());
        return Step::Node(line);
    }
    let writes_npmrc = piece
        .commands
        .iter()
        .any(|command| command.redirects.iter().any(|redirect| redirect.target.value.contains(".npmrc")));
    if writes_npmrc || (text.contains("_authToken") && first.program() != "node") {
        return Step::Credential(text.to_owned());
    }
    let writes = piece.commands.iter().any(|command| {
        command
            .redirects
            .iter()
            .any(|redirect| redirect.operator.contains('>') && redirect.target.value != "/dev/null")
    });
    if piece.commands.len() > 1 && first.program() != "npm" {
        let harmless = piece
            .commands
            .iter()
            .all(|command| matches!(step_of(command, ""), Step::Nothing | Step::Owner(_)));
        return if harmless { Step::Nothing } else { by_text(text) };
    }
    match step_of(first, text) {
        Step::Nothing if writes => Step::System(text.to_owned()),
        step => step,
    }
}

fn by_text(text: &str) -> Step {
    match opaque(text) {
        Step::Build(text) => Step::Build(text),
        _ => Step::System(text.to_owned()),
    }
}

fn step_of(command: &SimpleCommand, text: &str) -> Step {
    let args = command.args();
    let operands: Vec<&str> = command.operands().map(|word| word.value.as_str()).collect();
    let folders = || operands.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let build = || Step::Build(text.to_owned());
    match command.program() {
        "" | ":" | "true" | "set" | "echo" | "rm" | "export" | "hash" | "ls" | "cat" | "pwd" | "whoami"
        | "test" => Step::Nothing,
        "addgroup" | "groupadd" | "adduser" | "useradd" | "usermod" | "groupmod" | "deluser" | "userdel" => {
            Step::Nothing
        }
        "npm" | "cnpm" => npm(command, &operands, text),
        "yarn" => yarn(command, &operands, text),
        "pnpm" => pnpm(command, &operands, text),
        "corepack" => Step::Manager(operands.get(1).map(|&word| word.to_owned())),
        "apt-get" | "apt" | "apt-mark" | "apt-key" => packages("apt", &args),
        "apk" => packages("apk", &args),
        "mkdir" => Step::Folders(folders()),
        "chown" => Step::Owner(operands.iter().skip(1).map(|&word| word.to_owned()).collect()),
        "chgrp" => Step::Owner(operands.iter().skip(1).map(|&word| word.to_owned()).collect()),
        "chmod" => match operands.first() {
            Some(mode) if mode.contains('x') || mode.ends_with("55") => Step::Executable,
            _ => Step::Owner(operands.iter().skip(1).map(|&word| word.to_owned()).collect()),
        },
        "cd" => Step::Enter(operands.first().map_or("/", |folder| folder).to_owned()),
        "npx" | "node" | "tsc" | "ts-node" | "tsx" | "vite" | "next" | "nest" | "ng" | "webpack"
        | "rollup" | "esbuild" | "prisma" | "make" | "bunx" | "turbo" | "nx" | "lerna" => build(),
        "sh" | "bash" | "ash" if operands.first().is_some_and(|file| !file.starts_with('/')) => build(),
        _ if command
            .words
            .first()
            .is_some_and(|word| word.value.starts_with("./") || word.value.contains(".bin/")) =>
        {
            build()
        }
        _ => Step::System(text.to_owned()),
    }
}

fn npm(command: &SimpleCommand, operands: &[&str], text: &str) -> Step {
    let is_global = command.has_flag(&["-g", "--global", "--location"]);
    let (verb, rest) = operands.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
    match verb {
        "ci" | "clean-install" | "install" | "i" | "add" | "isntall" if is_global => tools(rest),
        "ci" | "clean-install" => Step::Install { is_frozen: true, omits_dev: omits_dev(command) },
        "install" | "i" | "add" | "isntall" if rest.is_empty() => {
            Step::Install { is_frozen: false, omits_dev: omits_dev(command) }
        }
        "install" | "i" | "add" => Step::Adds(rest.iter().map(|&word| word.to_owned()).collect()),
        "cache" | "prune" | "audit" | "fund" | "dedupe" | "rebuild" | "version" | "--version" | "" => {
            Step::Nothing
        }
        "config" | "set" if text.contains("_auth") || text.contains("oken") => {
            Step::Credential(text.to_owned())
        }
        "config" | "set" | "pkg" => Step::Setting(text.to_owned()),
        _ => Step::Build(text.to_owned()),
    }
}

fn yarn(command: &SimpleCommand, operands: &[&str], text: &str) -> Step {
    let frozen = command.has_flag(&["--frozen-lockfile", "--immutable"]);
    match operands {
        [] | ["install", ..] => Step::Install { is_frozen: frozen, omits_dev: omits_dev(command) },
        ["workspaces", "focus", ..] => Step::Install { is_frozen: true, omits_dev: true },
        ["global", "add", rest @ ..] => tools(rest),
        ["add", rest @ ..] => Step::Adds(rest.iter().map(|&word| word.to_owned()).collect()),
        ["cache" | "autoclean" | "rebuild", ..] => Step::Nothing,
        ["config", ..] if text.contains("oken") => Step::Credential(text.to_owned()),
        ["config", ..] => Step::Setting(text.to_owned()),
        ["set", "version", version] => Step::Manager(Some(format!("yarn@{version}"))),
        _ => Step::Build(text.to_owned()),
    }
}

fn pnpm(command: &SimpleCommand, operands: &[&str], text: &str) -> Step {
    let is_global = command.has_flag(&["-g", "--global"]);
    // `--filter api`, `-F api`: the value is no command.
    let operands: Vec<&str> = match command.flag(&["--filter", "-F", "-C", "--dir"]) {
        Some(flag) if !flag.value.contains('=') => operands.iter().skip(1).copied().collect(),
        _ => operands.to_vec(),
    };
    match operands.as_slice() {
        ["install" | "i" | "add", rest @ ..] if is_global => tools(rest),
        ["install" | "i"] => Step::Install {
            is_frozen: command.has_flag(&["--frozen-lockfile"]),
            omits_dev: omits_dev(command),
        },
        ["add", rest @ ..] => Step::Adds(rest.iter().map(|&word| word.to_owned()).collect()),
        ["fetch" | "prune" | "store" | "rebuild" | "deploy", ..] => Step::Nothing,
        ["config" | "set", ..] if text.contains("oken") => Step::Credential(text.to_owned()),
        ["config" | "set", ..] => Step::Setting(text.to_owned()),
        _ => Step::Build(text.to_owned()),
    }
}

fn tools(names: &[&str]) -> Step {
    let is_manager = |name: &&&str| {
        let bare = name.split('@').next().unwrap_or_default();
        matches!(bare, "npm" | "pnpm" | "yarn" | "corepack")
    };
    match names.iter().find(is_manager) {
        Some(manager) if names.len() == 1 => Step::Manager(Some((*manager).to_owned())),
        _ => {
            Step::Tools(names.iter().filter(|name| !is_manager(name)).map(|&name| name.to_owned()).collect())
        }
    }
}

fn omits_dev(command: &SimpleCommand) -> bool {
    let args = command.args();
    args.iter().any(|arg| {
        matches!(
            *arg,
            "--production" | "--production=true" | "--prod" | "-P" | "--only=production" | "--only=prod"
        ) || *arg == "--omit=dev"
    }) || args.windows(2).any(|pair| matches!(pair, ["--omit", "dev"] | ["--only", "production" | "prod"]))
}

fn packages(manager: &'static str, args: &[&str]) -> Step {
    let verb = args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or_default();
    if !matches!(verb, "install" | "add") {
        return Step::Nothing;
    }
    let mut names = Vec::new();
    let mut words = args.iter().skip_while(|arg| **arg != verb).skip(1);
    while let Some(word) = words.next() {
        match *word {
            // The next word is the flag's value.
            "-t" | "--virtual" | "--repository" | "-X" | "--target-release" | "-o" => {
                words.next();
            }
            flag if flag.starts_with('-') => {}
            name => names.push(name.to_owned()),
        }
    }
    Step::Packages { manager, names }
}

#[cfg(test)]
mod tests {
    use super::{Step, branch, steps};

    fn packages(manager: &'static str, names: &[&str]) -> Step {
        Step::Packages { manager, names: names.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn installs_are_told_from_builds() {
        let text = "npm install && npm run build -- --prod && npm cache clean --force && rm -rf /root/.npm";
        assert_eq!(
            steps(text),
            [
                Step::Install { is_frozen: false, omits_dev: false },
                Step::Build("npm run build -- --prod".into()),
                Step::Nothing,
                Step::Nothing,
            ]
        );
        assert_eq!(steps("npm ci --omit=dev"), [Step::Install { is_frozen: true, omits_dev: true }]);
        assert_eq!(steps("yarn"), [Step::Install { is_frozen: false, omits_dev: false }]);
        assert_eq!(steps("pnpm --filter api build"), [Step::Build("pnpm --filter api build".into())]);
        assert_eq!(steps("npm install -g pnpm@9.1.0"), [Step::Manager(Some("pnpm@9.1.0".into()))]);
        assert_eq!(
            steps("npm i -g typescript@5 pm2"),
            [Step::Tools(vec!["typescript@5".into(), "pm2".into()])]
        );
        assert_eq!(steps("npm install express"), [Step::Adds(vec!["express".into()])]);
    }

    #[test]
    fn conditions_on_lock_files_are_decided() {
        let text = "if [ -f yarn.lock ]; then yarn --frozen-lockfile;   elif [ -f package-lock.json ]; then npm ci;   \
                    else echo no && exit 1;   fi";
        let with = |name: &'static str| branch(text, &move |file: &str| file == name);
        assert_eq!(with("yarn.lock").as_deref(), Some("yarn --frozen-lockfile"));
        assert_eq!(with("package-lock.json").as_deref(), Some("npm ci"));
        assert_eq!(with("other").as_deref(), Some("echo no && exit 1"));
        assert_eq!(branch("npm ci", &|_| true), None);
        assert_eq!(branch("if true; then npm ci; fi", &|_| true), None);
        assert!(matches!(&steps("for x in a b; do npm run $x; done")[..], [Step::Build(_)]));
        assert!(matches!(&steps("if true; then apk add x; fi")[..], [Step::System(_)]));
    }

    #[test]
    fn system_packages_are_named() {
        let text = "apt-get update && apt-get install -y --no-install-recommends ffmpeg python3 && rm -rf /x";
        assert_eq!(steps(text)[1], packages("apt", &["ffmpeg", "python3"]));
        assert_eq!(
            steps("apk add --no-cache --virtual .build g++ make"),
            [packages("apk", &["g++", "make"])]
        );
    }

    #[test]
    fn credentials_and_users_are_seen() {
        let text = "echo \"//r.invalid/:_authToken=${NPM_TOKEN}\" > .npmrc";
        assert_eq!(steps(text), [Step::Credential(text.into())]);
        assert_eq!(
            steps("adduser -D app && chown -R app /app"),
            [Step::Nothing, Step::Owner(vec!["/app".into()])]
        );
        assert_eq!(steps("mkdir -p data"), [Step::Folders(vec!["data".into()])]);
        assert_eq!(
            steps("curl -fsSL https://nodesource.example.invalid/setup_20.x | bash -"),
            [Step::Node(Some(20))]
        );
        assert!(matches!(&steps("ln -sf /dev/stdout /var/log/app.log")[0], Step::System(_)));
        assert!(matches!(&steps("echo x > /etc/app.conf")[0], Step::System(_)));
    }
}
