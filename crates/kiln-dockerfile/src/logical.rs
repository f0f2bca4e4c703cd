//! One instruction as one line: continuations joined, comments inside dropped, and the way back to the file.

use std::ops::Range;

use serde::Serialize;

use crate::{Span, Spanned};

/// The joined line.
#[derive(Debug, Default)]
pub(crate) struct Logical {
    pub(crate) text: String,
    origin: Origin,
}

/// Where the pieces of a joined line come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    /// Where pieces start: in the line, and in the file.
    pieces: Vec<(usize, usize)>,
    /// What stands before the text that is asked about.
    skipped: usize,
}

impl Origin {
    fn source(&self, at: usize) -> usize {
        let at = at + self.skipped;
        let next = self.pieces.partition_point(|(start, _)| *start <= at);
        // Empty pieces share their start; the last one that starts here holds the byte.
        let (start, source) =
            next.checked_sub(1).and_then(|at| self.pieces.get(at)).copied().unwrap_or_default();
        source + (at - start)
    }

    /// Where a range of the line lies in the file.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let start = self.source(range.start);
        if range.is_empty() { Span::empty(start) } else { Span::new(start, self.source(range.end - 1) + 1) }
    }
}

impl Logical {
    /// Adds a piece of the file.
    pub(crate) fn push(&mut self, file: &str, span: Span) {
        self.origin.pieces.push((self.text.len(), span.start));
        self.text.push_str(span.of(file));
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Part<'_> {
        Part { logical: self, start: 0, end: self.text.len() }
    }
}

/// A part of a joined line. Always on boundaries of characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    logical: &'a Logical,
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    pub(crate) fn text(self) -> &'a str {
        self.logical.text.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn span(self) -> Span {
        self.logical.origin.span(self.start..self.end)
    }

    /// Where the text of this part comes from.
    pub(crate) fn origin(self) -> Origin {
        Origin { pieces: self.logical.origin.pieces.clone(), skipped: self.start }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.text().is_empty()
    }

    /// The part that `range` of this text is.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let end = (self.start + range.end).min(self.end);
        Self { start: (self.start + range.start).min(end), end, ..self }
    }

    pub(crate) fn from(self, at: usize) -> Self {
        self.part(at..self.end - self.start)
    }

    pub(crate) fn trim(self) -> Self {
        self.trim_start().trim_end()
    }

    pub(crate) fn trim_start(self) -> Self {
        let text = self.text();
        self.from(text.len() - text.trim_start().len())
    }

    pub(crate) fn trim_end(self) -> Self {
        self.part(0..self.text().trim_end().len())
    }

    /// The text as it is written, with its place.
    pub(crate) fn spanned(self) -> Spanned<String> {
        Spanned::new(self.text().to_owned(), self.span())
    }

    /// Before and after the first run of blanks (the blanks of a Dockerfile, which are ASCII); `None` without one.
    pub(crate) fn split_blank(self) -> Option<(Self, Self)> {
        let text = self.text();
        let start = text.find(is_blank)?;
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(|char| !is_blank(char)).unwrap_or(rest.len());
        Some((self.part(0..start), self.from(start + length)))
    }

    /// The words between runs of blanks.
    pub(crate) fn words(self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut rest = self;
        while let Some((word, after)) = rest.split_blank() {
            words.push(word);
            rest = after;
        }
        if !rest.is_empty() || !words.is_empty() {
            words.push(rest);
        }
        words
    }
}

/// What separates words: not the line end, which only stands inside heredocs.
pub(crate) fn is_blank(char: char) -> bool {
    matches!(char, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}
