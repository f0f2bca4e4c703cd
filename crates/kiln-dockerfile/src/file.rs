use crate::{Directive, Instruction, LineIndex, Problem, Span, Spanned, Token};

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// Its text.
    pub text: String,
    /// Where its lines start.
    pub lines: LineIndex,
    /// `# syntax=…` and the like at the top.
    pub directives: Vec<Directive>,
    /// What continues a line: `\` or a backquote.
    pub escape: char,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
    /// All comment lines, in order, those inside instructions too.
    pub comments: Vec<Comment>,
    /// What is wrong with it, in the order of its text.
    pub problems: Vec<Problem>,
    /// Its pieces; their texts together are `text`.
    pub tokens: Vec<Token>,
}

/// A comment line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The text after `#`, without blanks around it.
    pub text: Spanned<String>,
    /// The line, from 1.
    pub line: u32,
    /// Where the line is, without its line end.
    pub span: Span,
}

impl Dockerfile {
    /// The text of a span.
    pub fn text_of(&self, span: Span) -> &str {
        span.of(&self.text)
    }

    /// Whether a builder would refuse the file before it runs anything.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// The value of a directive.
    pub fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().find(|directive| directive.name == name)
    }
}
