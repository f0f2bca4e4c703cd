use std::rc::Rc;

use kiln_dockerfile::{Form, Scope, Span};
use rpds::{RedBlackTreeMap, RedBlackTreeSet};

use crate::facts::Base;

/// Something that an instruction set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value, with variables replaced.
    pub value: T,
    /// The instruction that set it.
    pub span: Span,
    /// It was set in the stage that is looked at, not in one it starts from.
    pub stage: usize,
}

/// A user that a `RUN` created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number, where it is given.
    pub uid: Option<u32>,
    /// The command.
    pub span: Span,
    /// The stage.
    pub stage: usize,
}

/// What holds at a point of a stage. Each instruction keeps what held before it, so that all of it is shared with those around.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Variables, of `ARG` and `ENV`.
    pub scope: Scope,
    /// Variables that end up in the image, with where they were set.
    pub env: RedBlackTreeMap<String, Setting<String>>,
    /// `USER`; `None` is that of the base.
    pub user: Option<Setting<String>>,
    /// The folder.
    pub workdir: String,
    /// A `WORKDIR` was given, here or in the base.
    pub has_workdir: bool,
    /// `SHELL`
    pub shell: Option<Rc<Setting<Vec<String>>>>,
    /// `CMD`
    pub cmd: Option<Rc<Setting<Form>>>,
    /// `ENTRYPOINT`
    pub entrypoint: Option<Rc<Setting<Form>>>,
    /// `HEALTHCHECK`
    pub has_healthcheck: bool,
    /// Users that were created, by name.
    pub accounts: RedBlackTreeMap<String, Account>,
    /// Operating-system packages and programs that were installed or copied, by name.
    pub installed: RedBlackTreeSet<String>,
    /// Folders that something was put into.
    pub touched: RedBlackTreeSet<String>,
    /// Files of unknown content came from another stage or image, over the whole file system.
    pub has_foreign_files: bool,
    /// The environment of the base is not known.
    pub has_unknown_env: bool,
}

impl State {
    /// The number of the user, as far as it is known; `base` is what the image says.
    pub fn uid(&self, base: Option<&Base>) -> Option<u32> {
        let Some(user) = &self.user else { return base.map(|base| base.uid) };
        let name = user.value.split(':').next().unwrap_or_default();
        if let Ok(uid) = name.parse() {
            return Some(uid);
        }
        if name == "root" {
            return Some(0);
        }
        let created = self.accounts.get(name).and_then(|account| account.uid);
        created.or_else(|| base.filter(|base| base.account.as_deref() == Some(name))?.account_uid)
    }

    /// Whether the user is root; `None` where that is not known.
    pub fn is_root(&self, base: Option<&Base>) -> Option<bool> {
        match (&self.user, self.uid(base)) {
            (_, Some(uid)) => Some(uid == 0),
            // A name that is not root's.
            (Some(user), None) => (!user.value.is_empty() && !user.value.contains('$')).then_some(false),
            (None, None) => None,
        }
    }

    /// A path from the folder.
    pub fn resolve(&self, path: &str) -> String {
        join(&self.workdir, path)
    }

    /// The words of the entrypoint; `None` where they are not known.
    pub(crate) fn entrypoint_words(&self, base: Option<&Base>) -> Option<Vec<String>> {
        match &self.entrypoint {
            Some(setting) => Some(form_words(&setting.value, self.shell.as_deref())),
            None => base.map(|base| base.entrypoint.clone()),
        }
    }

    pub(crate) fn cmd_words(&self, base: Option<&Base>) -> Option<Vec<String>> {
        match &self.cmd {
            Some(setting) => Some(form_words(&setting.value, self.shell.as_deref())),
            // An entrypoint of one's own drops the base's command.
            None if self.entrypoint.is_some() => Some(Vec::new()),
            None => base.map(|base| base.cmd.clone()),
        }
    }
}

fn form_words(form: &Form, shell: Option<&Setting<Vec<String>>>) -> Vec<String> {
    match form {
        Form::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
        Form::Shell(line) => {
            let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
            let mut words = shell.map_or_else(default, |shell| shell.value.clone());
            words.push(line.value.clone());
            words
        }
    }
}

/// A path from a folder, without `.` and `..`.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
