use serde::Serialize;

use crate::{Heredoc, Instruction, Mount, Spanned};

/// What an instruction says. Values are as they are written: variables are not replaced, and quotes are kept
/// where replacing variables removes them (all but flags and JSON).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Command {
    /// `FROM`
    From(From),
    /// `ARG`
    Arg(Vec<ArgDecl>),
    /// `ENV`
    Env(Pairs),
    /// `LABEL`
    Label(Pairs),
    /// `RUN`
    Run(Run),
    /// `COPY`
    Copy(Copy),
    /// `ADD`
    Add(Add),
    /// `CMD`
    Cmd(Form),
    /// `ENTRYPOINT`
    Entrypoint(Form),
    /// `SHELL`
    Shell(Vec<Spanned<String>>),
    /// `WORKDIR`
    Workdir(Spanned<String>),
    /// `USER`
    User(Spanned<String>),
    /// `EXPOSE`
    Expose(Vec<Spanned<String>>),
    /// `VOLUME`
    Volume(Vec<Spanned<String>>),
    /// `STOPSIGNAL`
    StopSignal(Spanned<String>),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `ONBUILD`
    Onbuild(Box<Instruction>),
    /// `MAINTAINER`
    Maintainer(Spanned<String>),
    /// A keyword that is no instruction; a problem says so.
    Unknown,
    /// An instruction that a builder refuses; a problem says why.
    Invalid,
}

/// `FROM [--platform=…] image [AS name]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct From {
    /// `--platform`
    pub platform: Option<Spanned<String>>,
    /// An image, `scratch`, or the name of an earlier stage.
    pub image: Spanned<String>,
    /// The word between image and name, as it is written.
    pub as_word: Option<Spanned<String>>,
    /// The name of the stage as it is written; builders compare it in lower case.
    pub name: Option<Spanned<String>>,
}

/// `name[=default]` of `ARG`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArgDecl {
    /// The name.
    pub name: Spanned<String>,
    /// The value where no `--build-arg` gives one, with its quotes.
    pub default: Option<Spanned<String>>,
}

/// What `ENV` and `LABEL` hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// Names and values, with their quotes.
    pub pairs: Vec<(Spanned<String>, Spanned<String>)>,
    /// Written in the old way, `NAME value with blanks`.
    pub is_legacy: bool,
}

/// A command: words for the kernel, or a line for a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Form {
    /// `["a", "b"]`
    Exec(Vec<Spanned<String>>),
    /// `a b`
    Shell(Spanned<String>),
}

impl Form {
    /// The words of an exec form.
    pub fn exec(&self) -> Option<Vec<&str>> {
        match self {
            Self::Exec(words) => Some(words.iter().map(Spanned::as_str).collect()),
            Self::Shell(_) => None,
        }
    }

    /// The line of a shell form.
    pub fn shell(&self) -> Option<&Spanned<String>> {
        match self {
            Self::Exec(_) => None,
            Self::Shell(line) => Some(line),
        }
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Exec(words) => words.is_empty(),
            Self::Shell(line) => line.value.is_empty(),
        }
    }
}

/// `RUN`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The command; heredocs are beside it, in the instruction.
    pub form: Form,
    /// `--mount`, as written; [`Mount::parse`] reads one whose variables are replaced.
    pub mounts: Vec<MountFlag>,
    /// `--network`
    pub network: Network,
    /// `--security=insecure`
    pub is_insecure: bool,
    /// `--device`
    pub devices: Vec<Spanned<String>>,
}

/// A `--mount` flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MountFlag {
    /// The value of the flag, variables not replaced.
    pub raw: Spanned<String>,
    /// What it says, with variables as they are; `None` where that cannot be read before they are replaced.
    pub mount: Option<Mount>,
}

/// `RUN --network`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Network {
    /// The network that the builder gives.
    #[default]
    Default,
    /// No network.
    None,
    /// The network of the machine.
    Host,
}

/// What `RUN` gives to the machine, with heredocs put in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RunInput {
    /// These words are run.
    Exec(Vec<String>),
    /// The shell runs this text.
    Shell(String),
    /// The only thing is a heredoc that starts with `#!`: a file of that name is written and run.
    Script {
        /// The name of the file.
        name: String,
        /// Its content.
        content: String,
    },
}

impl Run {
    /// What is run, with the heredocs of the instruction.
    pub fn input(&self, heredocs: &[Heredoc]) -> RunInput {
        let line = match &self.form {
            Form::Exec(words) => {
                return RunInput::Exec(words.iter().map(|word| word.value.clone()).collect());
            }
            Form::Shell(line) => &line.value,
        };
        match heredocs {
            [] => RunInput::Shell(line.clone()),
            [only] if crate::heredoc::is_word(line) => {
                let content = only.text();
                if only.content.starts_with("#!") {
                    RunInput::Script { name: only.name.clone(), content }
                } else {
                    RunInput::Shell(content)
                }
            }
            all => {
                let bodies = all.iter().map(|heredoc| format!("\n{}{}", heredoc.content, heredoc.name));
                RunInput::Shell(std::iter::once(line.clone()).chain(bodies).collect())
            }
        }
    }
}

/// What `COPY` and `ADD` take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Source {
    /// A path, a pattern, or for `ADD` an address.
    Path(Spanned<String>),
    /// A heredoc of the instruction, by its place in the list.
    Heredoc(usize),
}

/// What `COPY` and `ADD` share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// What is taken.
    pub sources: Vec<Source>,
    /// Where it goes.
    pub dest: Spanned<String>,
    /// `--chown`
    pub chown: Option<Spanned<String>>,
    /// `--chmod`
    pub chmod: Option<Spanned<String>>,
    /// `--link`
    pub link: bool,
    /// `--exclude`, each.
    pub exclude: Vec<Spanned<String>>,
}

impl Transfer {
    /// The sources that are paths.
    pub fn paths(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.sources.iter().filter_map(|source| match source {
            Source::Path(path) => Some(path),
            Source::Heredoc(_) => None,
        })
    }
}

/// `COPY`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// What goes where.
    pub transfer: Transfer,
    /// `--from`: a stage, a named context or an image.
    pub from: Option<Spanned<String>>,
    /// `--parents`
    pub parents: bool,
}

/// `ADD`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Add {
    /// What goes where.
    pub transfer: Transfer,
    /// `--checksum`
    pub checksum: Option<Spanned<String>>,
    /// `--keep-git-dir`
    pub keep_git_dir: bool,
    /// `--unpack`, where it is given.
    pub unpack: Option<bool>,
}

/// `HEALTHCHECK`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Healthcheck {
    /// `NONE`: the base's check is dropped.
    None,
    /// `CMD`
    Command(Check),
}

/// How the health of a container is asked. Durations are nanoseconds; 0 is the builder's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is run.
    pub form: Form,
    /// `--interval`
    pub interval: u64,
    /// `--timeout`
    pub timeout: u64,
    /// `--start-period`
    pub start_period: u64,
    /// `--start-interval`
    pub start_interval: u64,
    /// `--retries`; 0 is the default.
    pub retries: u32,
}
