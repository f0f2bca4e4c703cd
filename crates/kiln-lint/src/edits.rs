use kiln_dockerfile::{Instruction, Span};

use crate::{Edit, LintSubject};

impl<'a> LintSubject<'a> {
    /// The text of a span.
    pub fn text(&self, span: Span) -> &'a str {
        self.file.text_of(span)
    }

    /// The line end of the file.
    pub fn line_end(&self) -> &'static str {
        if self.file.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Where the line of a byte starts.
    fn line_start(&self, at: usize) -> usize {
        self.file.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
    }

    /// Where the next line starts, and whether the line of the byte has an end.
    fn next_line(&self, at: usize) -> (usize, bool) {
        let rest = self.file.text.get(at..).unwrap_or_default();
        rest.find('\n').map_or((self.file.text.len(), false), |end| (at + end + 1, true))
    }

    /// Writes lines before an instruction, and before the comments that belong to it.
    pub fn insert_before(&self, instruction: &Instruction, lines: &str) -> Edit {
        let first = instruction.comments.first().map_or(instruction.span.start, |comment| comment.span.start);
        Edit::insert(self.line_start(first), format!("{lines}{}", self.line_end()))
    }

    /// Writes lines after an instruction.
    pub fn insert_after(&self, instruction: &Instruction, lines: &str) -> Edit {
        let (at, has_end) = self.next_line(instruction.span.end);
        let end = self.line_end();
        let text = if has_end { format!("{lines}{end}") } else { format!("{end}{lines}") };
        Edit::insert(at, text)
    }

    /// Takes an instruction out, with its line end.
    pub fn remove(&self, instruction: &Instruction) -> Edit {
        let start = self.line_start(instruction.span.start);
        let (end, _) = self.next_line(instruction.span.end);
        Edit::replace(Span::new(start, end), "")
    }
}

impl LintSubject<'_> {
    /// Writes a line where the image is complete: after the last instruction that changes files.
    pub fn insert_at_end(&self, stage: &crate::model::StageModel<'_>, line: &str) -> Edit {
        use kiln_dockerfile::Command;
        let is_change = |command: &Command| {
            matches!(
                command,
                Command::Run(_)
                    | Command::Copy(_)
                    | Command::Add(_)
                    | Command::Workdir(_)
                    | Command::User(_)
                    | Command::Env(_)
                    | Command::Arg(_)
            )
        };
        let last = stage.steps.iter().rfind(|step| is_change(&step.instruction.command));
        self.insert_after(last.map_or(stage.instruction, |step| step.instruction), line)
    }
}
