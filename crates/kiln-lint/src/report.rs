use kiln_dockerfile::Span;
use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Wrong, though the image builds and starts.
    Warning,
    /// It does not build, does not start, or leaks.
    Error,
}

impl Level {
    /// The lower-case name used in every output and flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What kiln can do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Repair {
    /// Nothing by itself.
    None,
    /// An edit that changes nothing but what is wrong.
    Safe,
    /// An edit that may change what the image does; for `--unsafe`.
    Unsafe,
    /// The structure must change; the rewrite does that.
    Rewrite,
}

/// A change of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there instead.
    pub text: String,
}

/// How a finding is repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// [`Repair::Safe`] or [`Repair::Unsafe`].
    pub repair: Repair,
    /// What it does, as an imperative: "write `npm ci`".
    pub title: String,
    /// The changes; they do not overlap.
    pub edits: Vec<Edit>,
}

/// One thing that is wrong with a Dockerfile, and its cure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of its rule.
    pub id: &'static str,
    /// The slug of its rule.
    pub slug: &'static str,
    /// How much it matters.
    pub level: Level,
    /// Where.
    pub span: Span,
    /// What is wrong here, without a full stop.
    pub message: String,
    /// Other places that explain it.
    pub labels: Vec<(Span, String)>,
    /// What to change.
    pub help: Option<String>,
    /// The change, where kiln can make it.
    pub fix: Option<Fix>,
}

/// Collects the findings of one rule.
pub struct Sink<'a> {
    /// Its id, its slug, and how much its findings matter.
    pub(crate) rule: (&'static str, &'static str, Level),
    pub(crate) findings: &'a mut Vec<Finding>,
}

impl Sink<'_> {
    /// Adds a finding; what it returns takes help, labels and a fix.
    pub fn at(&mut self, span: Span, message: impl Into<String>) -> &mut Finding {
        let (id, slug, level) = self.rule;
        self.findings.push(Finding {
            id,
            slug,
            level,
            span,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            fix: None,
        });
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }
}

impl Finding {
    /// Says what to change.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Matters more or less than its rule says.
    pub fn level(&mut self, level: Level) -> &mut Self {
        self.level = level;
        self
    }

    /// Points at another place.
    pub fn label(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.labels.push((span, text.into()));
        self
    }

    /// Gives an edit that changes nothing but what is wrong.
    pub fn safe(&mut self, title: impl Into<String>, edits: Vec<Edit>) -> &mut Self {
        self.fix = Some(Fix { repair: Repair::Safe, title: title.into(), edits });
        self
    }

    /// Gives an edit that may change what the image does.
    pub fn not_safe(&mut self, title: impl Into<String>, edits: Vec<Edit>) -> &mut Self {
        self.fix = Some(Fix { repair: Repair::Unsafe, title: title.into(), edits });
        self
    }
}

impl Edit {
    /// Writes `text` in place of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// Writes `text` at `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: Span::empty(at), text: text.into() }
    }
}
