mod command;

use std::ops::Range;

use serde::Serialize;

use crate::logical::Origin;
use crate::{Span, Spanned};
pub use command::{
    Add, ArgDecl, Check, Command, Copy, Form, From, Healthcheck, MountFlag, Network, Pairs, Run, RunInput,
    Source, Transfer,
};

/// One instruction of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instruction {
    /// From its keyword to the end of its last line, heredocs included, without the line end.
    pub span: Span,
    /// The same without heredocs.
    pub head: Span,
    /// The line it starts on, from 1.
    pub line: u32,
    /// The keyword as it is written.
    pub keyword: Spanned<String>,
    /// The joined line: continuations replaced by what follows, comments inside dropped. Histories show it.
    pub original: String,
    /// The flags, as they are written.
    pub flags: Vec<Flag>,
    /// What follows the flags.
    pub arguments: Spanned<String>,
    /// The heredocs, in the order of their bodies.
    pub heredocs: Vec<Heredoc>,
    /// The comment lines directly above, without `#`.
    pub comments: Vec<Spanned<String>>,
    /// What it says.
    pub command: Command,
    #[serde(skip)]
    pub(crate) origin: Origin,
}

impl Instruction {
    /// The keyword in upper case.
    pub fn name(&self) -> String {
        self.keyword.value.to_ascii_uppercase()
    }

    /// Where a range of [`Instruction::original`] is written in the file.
    pub fn place(&self, range: Range<usize>) -> Span {
        self.origin.span(range)
    }

    /// Where a range of `tail` is written, when `tail` is the end of the instruction: its arguments, or what follows
    /// `CMD` in a health check.
    pub fn place_in(&self, tail: &str, range: Range<usize>) -> Span {
        let start = self.original.trim_end().len().saturating_sub(tail.len());
        self.place(start + range.start..start + range.end)
    }

    /// The flag of that name, the first if there are several.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name.value == name)
    }

    /// The heredoc of that name; the last one if there are several.
    pub fn heredoc(&self, name: &str) -> Option<&Heredoc> {
        self.heredocs.iter().rfind(|heredoc| heredoc.name == name)
    }
}

/// `--name`, `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// All of it.
    pub span: Span,
    /// The name, without dashes.
    pub name: Spanned<String>,
    /// What follows `=`, without quotes; variables are not replaced.
    pub value: Option<Spanned<String>>,
}

/// `<<NAME` and the lines up to `NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heredoc {
    /// The name without quotes; also the name of the file.
    pub name: String,
    /// The number before `<<`; 0 without one.
    pub fd: u32,
    /// No part of the name is quoted, so variables in the content are replaced.
    pub expand: bool,
    /// `<<-`: tabs at the start of lines are dropped.
    pub chomp: bool,
    /// The lines as they stand in the file, with their line ends.
    pub content: String,
    /// Where these lines are.
    pub span: Span,
    /// Where the line with the name that ends it is.
    pub end: Span,
}

impl Heredoc {
    /// The content as it is used: without leading tabs where `<<-` asks for that.
    pub fn text(&self) -> String {
        if !self.chomp {
            return self.content.clone();
        }
        self.content.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
    }
}
