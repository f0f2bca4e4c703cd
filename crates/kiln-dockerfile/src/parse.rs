use crate::reader::Reader;
use crate::{Dockerfile, LineIndex, Problem, Span, Token, token};

/// Longer files are not read.
const MAX_BYTES: usize = 8 << 20;

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
