use crate::clean::{line, lines};

/// Which kind of annotation it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Notice,
}

/// Something said, and where, if it is said of a file.
pub(crate) struct Annotation<'a> {
    pub(crate) level: Level,
    pub(crate) place: Option<Place<'a>>,
    pub(crate) title: &'a str,
    /// May have several lines.
    pub(crate) message: &'a str,
}

/// Lines of a file; lines and columns count from 1.
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) start: (u32, u32),
    pub(crate) end: (u32, u32),
}

/// An annotation of no file, as its line.
pub(crate) fn said(level: Level, title: &str, message: &str) -> String {
    Annotation { level, place: None, title, message }.render()
}

impl Annotation<'_> {
    /// One line, with its end.
    pub(crate) fn render(&self) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let place = self.place.as_ref().map(Place::render).unwrap_or_default();
        format!("::{level} {place}title={}::{}\n", property(self.title), data(self.message))
    }
}

impl Place<'_> {
    fn render(&self) -> String {
        let ((line, column), (end_line, end_column)) = (self.start, self.end);
        // GitHub shows columns only where the lines are the same.
        let columns =
            if line == end_line { format!(",col={column},endColumn={end_column}") } else { String::new() };
        format!("file={},line={line},endLine={end_line}{columns},", property(self.path))
    }
}

fn data(text: &str) -> String {
    lines(text).replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    line(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}
