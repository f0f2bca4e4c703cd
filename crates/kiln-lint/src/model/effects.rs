//! What each instruction changes for those after it.

use std::rc::Rc;

use kiln_dockerfile::{Command, Healthcheck, Transfer, expand};

use super::followed::Step;
use super::state::{Account, Setting, State, join};
use super::variables::expanded;
use crate::shell::SimpleCommand;

/// The longest path that there can be (Linux's `PATH_MAX`).
const FOLDER_MAX: usize = 4096;

/// What an instruction changes.
pub(super) fn follow(state: &mut State, step: &Step<'_>, stage: usize, escape: char) {
    let instruction = step.instruction;
    let span = instruction.head;
    let value = |state: &State, text: &str| {
        expand(text, &state.scope, escape).map_or_else(|_| text.to_owned(), |done| done.value)
    };
    match &instruction.command {
        Command::Arg(args) => drop(state.scope.declare(args, escape)),
        Command::Env(env) => {
            let before = state.clone();
            for (key, text) in &env.pairs {
                let (key, text) = (value(&before, &key.value), value(&before, &text.value));
                state.scope.set(key.clone(), text.clone());
                state.env.insert_mut(key, Setting { value: text, span, stage });
            }
        }
        Command::User(user) => {
            let known = expanded(&user.value, &state.scope, escape).unwrap_or_else(|| user.value.clone());
            state.user = Some(Setting { value: known, span, stage });
        }
        Command::Workdir(folder) => {
            let folder = state.resolve(&value(state, &folder.value));
            // No system has a longer one, and each instruction keeps its own.
            if folder.len() <= FOLDER_MAX {
                state.workdir = folder;
            }
            state.has_workdir = true;
            state.touched.insert_mut(state.workdir.clone());
        }
        Command::Shell(words) => {
            let words = words.iter().map(|word| word.value.clone()).collect();
            state.shell = Some(Rc::new(Setting { value: words, span, stage }));
        }
        Command::Cmd(form) => state.cmd = Some(Rc::new(Setting { value: form.clone(), span, stage })),
        Command::Entrypoint(form) => {
            // The command of a stage below belongs to its entrypoint.
            if state.cmd.as_ref().is_some_and(|cmd| cmd.stage != stage) {
                state.cmd = None;
            }
            state.entrypoint = Some(Rc::new(Setting { value: form.clone(), span, stage }));
        }
        Command::Healthcheck(check) => state.has_healthcheck = matches!(check, Healthcheck::Command(_)),
        Command::Volume(folders) => {
            for folder in folders {
                let folder = state.resolve(&value(state, &folder.value));
                state.touched.insert_mut(folder);
            }
        }
        Command::Copy(copy) => {
            transfer(state, &copy.transfer, escape);
            let into = state.resolve(&copy.transfer.dest.value);
            state.has_foreign_files |=
                copy.from.is_some() && copy.transfer.paths().any(|path| is_system(&path.value, &into));
        }
        Command::Add(add) => {
            transfer(state, &add.transfer, escape);
            // An archive may hold anything.
            let is_root = state.resolve(&add.transfer.dest.value) == "/";
            state.has_foreign_files |= is_root;
        }
        Command::Run(_) => run(state, step, stage),
        _ => {}
    }
}

/// Whether a copy may bring programs and libraries that nobody knows of.
fn is_system(source: &str, into: &str) -> bool {
    const FOLDERS: [&str; 7] = ["/bin", "/sbin", "/usr/bin", "/usr/local/bin", "/usr/local", "/lib", "/usr"];
    const OF_APPS: [&str; 9] =
        ["node_modules", "dist", "build", "src", "public", "app", "package.json", ".next", "standalone"];
    let source = source.trim_end_matches('/');
    let name = source.rsplit('/').next().unwrap_or(source);
    source.is_empty()
        || FOLDERS.contains(&into.trim_end_matches('/'))
        || (into == "/" && !OF_APPS.contains(&name))
}

fn transfer(state: &mut State, transfer: &Transfer, escape: char) {
    let dest = expand(&transfer.dest.value, &state.scope, escape)
        .map_or_else(|_| transfer.dest.value.clone(), |done| done.value);
    let dest = state.resolve(&dest);
    for path in transfer.paths() {
        let name = path.value.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        state.installed.insert_mut(name.to_owned());
    }
    state.installed.insert_mut(dest.rsplit('/').next().unwrap_or_default().to_owned());
    state.touched.insert_mut(dest);
}

fn run(state: &mut State, step: &Step<'_>, stage: usize) {
    let Command::Run(run) = &step.instruction.command else { return };
    state.touched.insert_mut(state.workdir.clone());
    // What a mount puts in place is not in the layer.
    for mount in run.mounts.iter().filter_map(|mount| mount.mount.as_ref()) {
        if let Some(target) = &mount.target {
            let target = state.resolve(target);
            state.touched.insert_mut(target);
        }
    }
    let Some(script) = &step.script else { return };
    for command in &script.commands {
        for word in command.words.iter().chain(command.redirects.iter().map(|redirect| &redirect.target)) {
            for part in
                word.value.split(['=', ':', ',']).filter(|part| part.starts_with('/') && part.len() > 1)
            {
                state.touched.insert_mut(join("/", part));
            }
        }
        installed(state, command);
        if let Some((name, uid)) = account(command) {
            state.accounts.insert_mut(name, Account { uid, span: step.command(command), stage });
        }
    }
}

/// Operating-system packages and programs that a command installs.
fn installed(state: &mut State, command: &SimpleCommand) {
    let verb = command.operands().next().map_or("", |word| word.value.as_str());
    let is_install = match command.program() {
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" => verb == "install",
        "apk" => verb == "add",
        "npm" | "pnpm" => matches!(verb, "install" | "i" | "add") && command.has_flag(&["-g", "--global"]),
        "yarn" => verb == "global",
        "corepack" => {
            for name in ["yarn", "pnpm"] {
                state.installed.insert_mut(name.to_owned());
            }
            false
        }
        _ => false,
    };
    if is_install {
        for name in command.operands().skip(1).map(|word| word.value.trim_start_matches('@')) {
            state.installed.insert_mut(name.split(['=', '@']).next().unwrap_or(name).to_owned());
        }
    }
}

/// Flags of `useradd` and `adduser` that take the next word as their value.
const WITH_VALUE: [&str; 22] = [
    "-u",
    "--uid",
    "-g",
    "--gid",
    "-G",
    "--groups",
    "--ingroup",
    "-s",
    "--shell",
    "-d",
    "--home-dir",
    "--home",
    "-h",
    "-c",
    "--comment",
    "--gecos",
    "-k",
    "--skel",
    "-p",
    "--password",
    "-b",
    "--groups",
];

/// The user that a command creates, and its number.
fn account(command: &SimpleCommand) -> Option<(String, Option<u32>)> {
    if !matches!(command.program(), "useradd" | "adduser") {
        return None;
    }
    let args = command.args();
    let uid_at = args.iter().position(|arg| matches!(*arg, "-u" | "--uid"));
    let inline = args.iter().find_map(|arg| arg.strip_prefix("--uid="));
    let uid = uid_at.and_then(|at| args.get(at + 1).copied()).or(inline).and_then(|text| text.parse().ok());
    let mut names = Vec::new();
    let mut skip = false;
    for arg in args {
        if std::mem::take(&mut skip) {
            continue;
        }
        let is_busybox_group = command.program() == "adduser" && arg == "-G";
        skip = WITH_VALUE.contains(&arg) || is_busybox_group;
        // Joined short flags of busybox: `-SDH -u 1000`.
        if !arg.starts_with('-') {
            names.push(arg);
        }
    }
    Some(((*names.first()?).to_owned(), uid))
}
