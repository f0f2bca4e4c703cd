use crate::reader::Reader;
use crate::{Directive, Instruction, LineIndex, Problem, Span, Spanned, Stages, Token, token};

/// Longer files are not read.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// Instructions after these are not read.
pub(crate) const MAX_INSTRUCTIONS: usize = 20_000;

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

/// Reads a Dockerfile. Never fails: what a builder would refuse is in [`Dockerfile::problems`].
pub fn parse(text: &str) -> Dockerfile {
    let mut file = Dockerfile {
        text: text.to_owned(),
        lines: LineIndex::new(text),
        directives: Vec::new(),
        escape: '\\',
        instructions: Vec::new(),
        comments: Vec::new(),
        problems: Vec::new(),
        tokens: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes and was not read");
        file.problems.push(Problem::error("too-large", Span::empty(0), message));
        file.tokens.push(Token { kind: token::TokenKind::Text, span: Span::new(0, text.len()) });
        return file;
    }
    Reader::new(text).read(&mut file);
    if file.instructions.is_empty() && !file.problems.iter().any(Problem::is_error) {
        let message =
            if text.trim().is_empty() { "the file is empty" } else { "the file has no instructions" };
        file.problems.push(Problem::error("no-instructions", Span::empty(0), message));
    }
    crate::stages::check_order(&mut file);
    file.problems.sort_by_key(|problem| (problem.span, problem.code));
    file
}

impl Dockerfile {
    /// The stages and how they depend on each other.
    pub fn stages(&self) -> Stages<'_> {
        Stages::new(&self.instructions)
    }

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
