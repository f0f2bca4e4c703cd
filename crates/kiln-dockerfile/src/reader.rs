//! From lines to instructions: directives, comments, continuations, heredocs.

use crate::heredoc::{self, Announced, MAX_HEREDOCS};
use crate::logical::Logical;
use crate::token::{TokenKind, Tokens};
use crate::typed::{self, Parts};
use kiln_finding::closest;

use crate::{Comment, Directive, Dockerfile, Heredoc, Problem, Span, Spanned, directive, flags};

/// Instructions after these are not read.
const MAX_INSTRUCTIONS: usize = 20_000;
/// Builders refuse longer lines.
const MAX_LINE: usize = 65_535;

pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    escape: char,
    tokens: Tokens,
    /// Comment lines directly above what comes next.
    above: Vec<Spanned<String>>,
}

/// A line of the file.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Without its line end.
    text: &'a str,
    span: Span,
    /// With its line end.
    end: usize,
    number: u32,
}

impl Line<'_> {
    fn is_comment(self) -> bool {
        self.text.trim_start().starts_with('#')
    }

    fn is_blank(self) -> bool {
        self.text.trim_start().is_empty()
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 0, escape: '\\', tokens: Tokens::default(), above: Vec::new() }
    }

    pub(crate) fn read(mut self, file: &mut Dockerfile) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            self.tokens.push(TokenKind::Bom, Span::new(0, self.at), TokenKind::Blank);
        }
        self.directives(file);
        while let Some(line) = self.next_line(&mut file.problems) {
            if line.is_comment() {
                let comment = self.comment(line, file);
                self.above.push(comment);
            } else if line.is_blank() {
                self.tokens.fill(line.end, TokenKind::Blank);
                self.above.clear();
            } else if file.instructions.len() == MAX_INSTRUCTIONS {
                let message = format!("only the first {MAX_INSTRUCTIONS} instructions are read");
                file.problems.push(Problem::error("too-many-instructions", line.span, message));
                break;
            } else {
                self.instruction(line, file);
            }
        }
        self.tokens.fill(self.text.len(), TokenKind::Text);
        file.escape = self.escape;
        file.tokens = self.tokens.list;
    }

    fn next_line(&mut self, problems: &mut Vec<Problem>) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let text = rest.get(..length)?.trim_end_matches(['\r', '\n']);
        self.line += 1;
        let line = Line {
            text,
            span: Span::new(self.at, self.at + text.len()),
            end: self.at + length,
            number: self.line,
        };
        self.at = line.end;
        if text.len() > MAX_LINE {
            let message = format!("the line is longer than {MAX_LINE} bytes");
            problems.push(Problem::error(
                "line-too-long",
                Span::new(line.span.start, line.span.start + 1),
                message,
            ));
        }
        Some(line)
    }

    fn directives(&mut self, file: &mut Dockerfile) {
        loop {
            let (at, number) = (self.at, self.line);
            let Some(line) = self.next_line(&mut file.problems) else { return };
            let read =
                directive::read(line.text.trim_start(), line.span.end - line.text.trim_start().len(), "#");
            let known = read.filter(|(name, _)| directive::NAMES.contains(&name.value.as_str()));
            let Some((name, value)) = known else {
                (self.at, self.line) = (at, number);
                return Self::warn_of_misspelt(line, file);
            };
            self.tokens.push(TokenKind::Directive, line.span, TokenKind::Blank);
            self.tokens.push(TokenKind::LineEnd, Span::new(line.span.end, line.end), TokenKind::Blank);
            if file.directives.iter().any(|before| before.name == name.value) {
                let message = format!("`{}` can be given once at the top of the file", name.value);
                file.problems.push(Problem::error("duplicate-directive", line.span, message));
            }
            match (name.value.as_str(), value.value.as_str()) {
                ("escape", "`") => self.escape = '`',
                ("escape", "\\") => self.escape = '\\',
                ("escape", other) => {
                    let message = format!("the escape character is ` or \\, not `{other}`");
                    file.problems.push(Problem::error("invalid-escape", value.span, message));
                }
                _ => {}
            }
            file.directives.push(Directive { name: name.value, value, span: line.span });
        }
    }

    /// A first comment such as `# syntx=…` is most likely meant as a directive.
    fn warn_of_misspelt(line: Line<'_>, file: &mut Dockerfile) {
        let Some((name, _)) = directive::read(line.text.trim(), line.span.start, "#") else { return };
        if let Some(guess) = closest(&name.value, directive::NAMES) {
            let message = format!("`{}` is no directive, so this line is a comment", name.value);
            let problem = Problem::warning("misspelt-directive", line.span, message).with_guess(Some(guess));
            file.problems.push(problem);
        }
    }

    fn comment(&mut self, line: Line<'_>, file: &mut Dockerfile) -> Spanned<String> {
        self.tokens.push(TokenKind::Comment, line.span, TokenKind::Blank);
        self.tokens.push(TokenKind::LineEnd, Span::new(line.span.end, line.end), TokenKind::Blank);
        let body = line.text.trim_start();
        let body_at = line.span.end - body.len();
        let inner = body.strip_prefix('#').unwrap_or(body);
        let start = body_at + 1 + (inner.len() - inner.trim_start().len());
        let inner = inner.trim();
        let text = Spanned::new(inner.to_owned(), Span::new(start, start + inner.len()));
        file.comments.push(Comment { text: text.clone(), line: line.number, span: line.span });
        text
    }

    /// The text of a line before the character that continues it, if one does.
    fn continued<'l>(&self, line: &'l str) -> Option<&'l str> {
        let before = line.trim_end_matches([' ', '\t']).strip_suffix(self.escape)?;
        // An escaped escape character continues nothing.
        (!before.ends_with(self.escape)).then_some(before)
    }

    fn instruction(&mut self, first: Line<'a>, file: &mut Dockerfile) {
        let comments = std::mem::take(&mut self.above);
        let mut logical = Logical::default();
        let mut joints = Vec::new();
        let start = first.span.end - first.text.trim_start().len();
        let mut line =
            Line { text: first.text.trim_start(), span: Span::new(start, first.span.end), ..first };
        let mut head = Span::new(start, start);
        let mut empty: Option<Span> = None;
        loop {
            let Some(kept) = self.continued(line.text) else {
                logical.push(self.text, line.span);
                head.end = line.span.end;
                joints.push((TokenKind::LineEnd, Span::new(line.span.end, line.end)));
                break;
            };
            let end = line.span.start + kept.len();
            logical.push(self.text, Span::new(line.span.start, end));
            head.end = end.max(head.start);
            joints.push((TokenKind::Continuation, Span::new(end, line.end)));
            let Some(next) = self.joined_line(&mut joints, &mut empty, file) else { break };
            line = next;
        }
        if let Some(span) = empty {
            let message = "an empty line inside an instruction";
            let help = "remove the line, or end the instruction before it; builders will refuse this one day";
            file.problems.push(Problem::warning("empty-continuation", span, message).with_help(help));
        }
        self.finish(&logical, head, first.number, comments, joints, file);
    }

    /// The next line that belongs to an instruction; comments and empty lines are passed over.
    fn joined_line(
        &mut self,
        joints: &mut Vec<(TokenKind, Span)>,
        empty: &mut Option<Span>,
        file: &mut Dockerfile,
    ) -> Option<Line<'a>> {
        loop {
            let line = self.next_line(&mut file.problems)?;
            let line_end = Span::new(line.span.end, line.end);
            if line.is_comment() {
                let body = line.text.trim().trim_start_matches('#').trim();
                let start = line.span.start + line.text.find(body).unwrap_or_default();
                let text = Spanned::new(body.to_owned(), Span::new(start, start + body.len()));
                file.comments.push(Comment { text, line: line.number, span: line.span });
                joints.push((TokenKind::Comment, line.span));
                joints.push((TokenKind::LineEnd, line_end));
            } else if line.is_blank() {
                let span = Span::new(line.span.start, line.end);
                *empty = Some(empty.map_or(span, |before| before.to(span)));
                joints.push((TokenKind::EmptyContinuation, span));
            } else {
                return Some(line);
            }
        }
    }

    fn finish(
        &mut self,
        logical: &Logical,
        head: Span,
        line: u32,
        comments: Vec<Spanned<String>>,
        joints: Vec<(TokenKind, Span)>,
        file: &mut Dockerfile,
    ) {
        let whole = logical.whole().trim();
        let (keyword, rest) = whole.split_blank().unwrap_or((whole, whole.from(whole.text().len())));
        let (flags, arguments) = flags::split(rest);
        let mut marks = vec![(TokenKind::Keyword, keyword.span())];
        marks.extend(flags.iter().map(|flag| (TokenKind::Flag, flag.span)));
        self.push_tokens(marks, joints);
        let announced =
            if typed::can_hold_heredocs(keyword.text(), arguments.text()) && logical.text.contains("<<") {
                heredoc::in_line(&logical.text)
            } else {
                Vec::new()
            };
        let mut span = head;
        let heredocs = self.heredocs(announced, head, &mut span, &mut file.problems);
        let parts = Parts {
            span,
            head,
            line,
            keyword,
            original: logical.whole(),
            flags,
            arguments,
            heredocs,
            comments,
            escape: self.escape,
        };
        file.instructions.push(typed::instruction(parts, &mut file.problems));
    }

    /// The marks may reach over joints; then the joints cut them.
    fn push_tokens(&mut self, marks: Vec<(TokenKind, Span)>, joints: Vec<(TokenKind, Span)>) {
        let mut marks = marks.into_iter().peekable();
        for (kind, joint) in joints {
            while let Some((mark_kind, mark)) = marks.next_if(|(_, mark)| mark.start < joint.start) {
                let end = mark.end.min(joint.start);
                self.tokens.push(mark_kind, Span::new(mark.start, end), TokenKind::Text);
            }
            self.tokens.push(kind, joint, TokenKind::Text);
        }
    }

    fn heredocs(
        &mut self,
        announced: Vec<Announced>,
        head: Span,
        whole: &mut Span,
        problems: &mut Vec<Problem>,
    ) -> Vec<Heredoc> {
        if announced.len() > MAX_HEREDOCS {
            let message = format!("an instruction may hold {MAX_HEREDOCS} heredocs");
            problems.push(Problem::error("too-many-heredocs", head, message));
        }
        let mut heredocs = Vec::new();
        for announced in announced.into_iter().take(MAX_HEREDOCS) {
            let start = self.at;
            let end = loop {
                let Some(line) = self.next_line(problems) else {
                    let message = format!("the heredoc `{}` has no end", announced.name);
                    let help = format!("end it with a line that holds only `{}`", announced.name);
                    problems.push(Problem::error("unterminated-heredoc", head, message).with_help(help));
                    break None;
                };
                let text = if announced.chomp { line.text.trim_start_matches('\t') } else { line.text };
                if text == announced.name {
                    break Some(line);
                }
            };
            let body = Span::new(start, end.map_or(self.text.len(), |line| line.span.start));
            let end_span = end.map_or(Span::empty(body.end), |line| line.span);
            self.tokens.push(TokenKind::HeredocBody, body, TokenKind::Text);
            self.tokens.push(TokenKind::HeredocEnd, end_span, TokenKind::Text);
            if let Some(line) = end {
                self.tokens.push(TokenKind::LineEnd, Span::new(line.span.end, line.end), TokenKind::Text);
            }
            whole.end = whole.end.max(end_span.end);
            heredocs.push(Heredoc {
                name: announced.name,
                fd: announced.fd,
                expand: announced.expand,
                chomp: announced.chomp,
                content: body.of(self.text).to_owned(),
                span: body,
                end: end_span,
            });
        }
        heredocs
    }
}
