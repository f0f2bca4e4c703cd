//! Dockerfiles and .dockerignore files as values: what BuildKit reads, with the place of every byte.
//!
//! Parsing never fails and loses nothing: what is wrong is a [`Problem`] with its place, and the texts of all tokens are
//! the text of the file. Nothing here looks at a file, builds, or judges style; kiln-lint does that.
//! Start from [`parse`] and [`Dockerfile::stages`].

mod directive;
mod duration;
mod expand;
mod file;
mod flags;
mod glob;
mod heredoc;
mod ignore;
mod instruction;
mod json;
mod logical;
mod mode;
mod mount;
mod owner;
mod parse;
mod port;
mod problem;
mod reader;
mod signal;
mod span;
mod stages;
mod token;
mod typed;

/// The largest Dockerfile that is read, in bytes.
pub const FILE_MAX: u64 = 8 << 20;

pub use directive::{Directive, syntax_of};
pub use duration::parse_duration;
pub use expand::{
    Error, Expansion, Lookup, Nothing, PLATFORM, PREDEFINED, Scope, Variable, expand, expand_heredoc,
    expand_words,
};
pub use file::{Comment, Dockerfile};
pub use glob::{Wildcard, has_wildcard};
pub use ignore::{Ignore, Parents, Pattern};
pub use instruction::{
    Add, ArgDecl, Check, Command, Copy, Flag, Form, From, Healthcheck, Heredoc, Instruction, MountFlag,
    Network, Pairs, Run, RunInput, Source, Transfer,
};
pub use mode::{Change, Chmod};
pub use mount::{Mount, MountKind, MountProblem, Sharing, mount_fields};
pub use owner::{Id, Owner};
pub use parse::parse;
pub use port::{has_host_part, parse_ports};
pub use problem::{Gravity, Problem};
pub use signal::parse_signal;
pub use span::{LineIndex, Position, Span, Spanned};
pub use stages::{Reference, Stage, Stages};
pub use token::{Token, TokenKind};
pub use typed::INSTRUCTIONS;
