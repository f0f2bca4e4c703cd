use kiln_policy::Scorecard;
use kiln_vuln::Date;

use crate::{LintedFile, Scan, Trust};

/// A kind of result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The scorecard of an image.
    Card,
    /// What was found in Dockerfiles.
    Lint,
    /// What was found in images, folders and SBOMs.
    Scan,
    /// What is signed about an image.
    Trust,
}

/// A result.
#[derive(Clone, Copy, Debug)]
pub enum Results<'a> {
    /// [`Kind::Card`]
    Card(&'a Scorecard),
    /// [`Kind::Lint`]
    Lint(&'a [LintedFile<'a>]),
    /// [`Kind::Scan`]
    Scans(&'a [Scan]),
    /// [`Kind::Trust`]
    Trust(&'a Trust<'a>),
}

impl Results<'_> {
    /// The kind of it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Card(_) => Kind::Card,
            Self::Lint(_) => Kind::Lint,
            Self::Scans(_) => Kind::Scan,
            Self::Trust(_) => Kind::Trust,
        }
    }
}

/// What a document is given besides the results: when and by what it is written, and how it is to look.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Ages are counted to this day.
    pub today: Date,
    /// RFC 3339, in UTC, to the second.
    pub time: String,
    /// Version of kiln.
    pub version: String,
    /// Columns of the terminal.
    pub width: usize,
    /// People are told everything: what became of each VEX statement, what each line of a scorecard rests on.
    pub explains: bool,
}

/// One format: a static in a file of its own, listed in [`crate::FORMATS`].
#[derive(Debug)]
pub struct Format {
    /// As `--format` knows it.
    pub name: &'static str,
    /// What it is for, as a help text says it.
    pub about: &'static str,
    /// Usual end of a file's name.
    pub extension: &'static str,
    /// Who reads it reads JSON, also of what went wrong.
    pub is_json: bool,
    /// It can hold only one image, folder or SBOM.
    pub holds_one: bool,
    /// How it writes a scorecard, if it can.
    pub(crate) card: Option<fn(&Scorecard, &Stamp) -> String>,
    /// How it writes what was found in Dockerfiles, if it can.
    pub(crate) lint: Option<fn(&[LintedFile<'_>], &Stamp) -> String>,
    /// How it writes what was found in images, if it can.
    pub(crate) scan: Option<fn(&[Scan], &Stamp) -> String>,
    /// How it writes what is signed about an image, if it can.
    pub(crate) trust: Option<fn(&Trust<'_>, &Stamp) -> String>,
}

impl Format {
    /// Whether it can write such a result.
    pub fn knows(&self, kind: Kind) -> bool {
        match kind {
            Kind::Card => self.card.is_some(),
            Kind::Lint => self.lint.is_some(),
            Kind::Scan => self.scan.is_some(),
            Kind::Trust => self.trust.is_some(),
        }
    }

    /// The whole document, without a line end after the last line; `None` where the format does not know the kind of result. It is
    /// empty where there is nothing to say.
    pub fn render(&self, results: &Results<'_>, stamp: &Stamp) -> Option<String> {
        let mut text = match results {
            Results::Card(card) => self.card?(card, stamp),
            Results::Lint(files) => self.lint?(files, stamp),
            Results::Scans(scans) => self.scan?(scans, stamp),
            Results::Trust(trust) => self.trust?(trust, stamp),
        };
        text.truncate(text.trim_end_matches('\n').len());
        Some(text)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
