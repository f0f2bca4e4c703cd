use crate::Stamp;
use crate::clean::{line, lines};

/// What was looked at in one place.
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// One thing that was looked at.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) end: End,
}

/// What came of it.
pub(crate) enum End {
    Passed,
    /// It is wrong.
    Failed {
        kind: String,
        message: String,
        details: String,
    },
    /// It is not known.
    Error(String),
    /// It does not count, and why.
    Skipped(String),
}

/// The document. A suite without cases gets one that says `clean`: an empty report looks like one that was forgotten.
pub(crate) fn document(name: &str, suites: &[Suite], clean: &str, stamp: &Stamp) -> String {
    let suites: String = suites.iter().map(|suite| suite.render(clean, stamp)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\">\n{suites}</testsuites>",
        attribute(name)
    )
}

impl Suite {
    fn render(&self, clean: &str, stamp: &Stamp) -> String {
        let count = |is: fn(&End) -> bool| self.cases.iter().filter(|case| is(&case.end)).count();
        let failures = count(|end| matches!(end, End::Failed { .. }));
        let errors = count(|end| matches!(end, End::Error(_)));
        let skipped = count(|end| matches!(end, End::Skipped(_)));
        let tests = self.cases.len().max(1);
        let mut cases: String = self.cases.iter().map(Case::render).collect();
        if cases.is_empty() {
            let (name, class) = (clean.to_owned(), "kiln".to_owned());
            cases = Case { name, class, end: End::Passed }.render();
        }
        format!(
            "  <testsuite name=\"{}\" timestamp=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n",
            attribute(&self.name),
            attribute(stamp.time.trim_end_matches('Z')),
        )
    }
}

impl Case {
    fn render(&self) -> String {
        let start = format!(
            "    <testcase name=\"{}\" classname=\"{}\"",
            attribute(&self.name),
            attribute(&self.class)
        );
        let end = match &self.end {
            End::Passed => return format!("{start}/>\n"),
            End::Failed { kind, message, details } => format!(
                "<failure type=\"{}\" message=\"{}\">{}</failure>",
                attribute(kind),
                attribute(message),
                escape(&lines(details))
            ),
            End::Error(message) => format!("<error message=\"{}\"/>", attribute(message)),
            End::Skipped(why) => format!("<skipped>{}</skipped>", attribute(why)),
        };
        format!("{start}>{end}</testcase>\n")
    }
}

fn attribute(text: &str) -> String {
    escape(&line(text))
}

/// Text that is cleaned, as XML 1.0 has it. Two code points are no characters there, though they steer nothing.
fn escape(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
