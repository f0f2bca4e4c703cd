use serde::Serialize;

use crate::Span;

/// A piece of a file. All pieces together, in order, are the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// What a piece of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TokenKind {
    /// A byte-order mark at the start.
    Bom,
    /// A line such as `# syntax=…`, without its line end.
    Directive,
    /// A comment line with the blanks before `#`, without its line end.
    Comment,
    /// Blanks, and the lines between instructions that hold nothing else.
    Blank,
    /// The keyword of an instruction.
    Keyword,
    /// A flag of an instruction.
    Flag,
    /// What an instruction holds besides.
    Text,
    /// The escape character at the end of a line, the blanks after it, and the line end.
    Continuation,
    /// A line without anything inside an instruction, with its line end.
    EmptyContinuation,
    /// A line end.
    LineEnd,
    /// The lines of a heredoc.
    HeredocBody,
    /// The line that ends a heredoc, without its line end.
    HeredocEnd,
}

/// Collects tokens so that nothing between them is lost.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    end: usize,
}

impl Tokens {
    /// Adds a token; what lies between it and the one before becomes `between`.
    pub(crate) fn push(&mut self, kind: TokenKind, span: Span, between: TokenKind) {
        self.fill(span.start, between);
        let start = span.start.max(self.end);
        if span.end > start {
            self.list.push(Token { kind, span: Span::new(start, span.end) });
            self.end = span.end;
        }
    }

    /// Makes what lies before `to` a token, if there is anything.
    pub(crate) fn fill(&mut self, to: usize, kind: TokenKind) {
        if to > self.end {
            self.list.push(Token { kind, span: Span::new(self.end, to) });
            self.end = to;
        }
    }
}
