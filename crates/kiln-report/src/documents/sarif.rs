use std::collections::BTreeMap;

use kiln_text::percent::Plain;
use serde_json::{Value, json};

use crate::Stamp;
use crate::clean::{line, lines};

/// How much a result matters.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Error,
    Warning,
    Note,
}

/// What a result is an instance of.
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) short: String,
    pub(crate) help: String,
    /// The help is Markdown of kiln's own, too.
    pub(crate) is_markdown: bool,
    pub(crate) level: Level,
    pub(crate) properties: Option<Value>,
}

/// One thing that was found.
pub(crate) struct Outcome {
    pub(crate) rule: String,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) locations: Vec<Location>,
    pub(crate) related: Vec<Location>,
    pub(crate) fix: Option<Fix>,
    /// A name that stays the same from run to run, and what it is made by.
    pub(crate) fingerprint: Option<(&'static str, String)>,
    pub(crate) suppression: Option<Suppression>,
}

/// Where it is.
#[derive(Default)]
pub(crate) struct Location {
    /// Path of a file, and which part of it.
    pub(crate) file: Option<(String, Region)>,
    /// A name for people.
    pub(crate) name: Option<String>,
    pub(crate) message: Option<String>,
}

/// Part of a file.
#[derive(Clone, Copy)]
pub(crate) enum Region {
    /// Which part is not known; readers want a line all the same.
    Whole,
    /// Lines and columns, which count from 1.
    Part { start: (u32, u32), end: (u32, u32) },
}

/// Changes that repair it.
pub(crate) struct Fix {
    pub(crate) title: String,
    pub(crate) path: String,
    /// What goes, and what comes in its place, byte for byte.
    pub(crate) replacements: Vec<(Region, String)>,
}

/// Why it does not count.
pub(crate) struct Suppression {
    pub(crate) is_in_source: bool,
    pub(crate) why: String,
}

/// What is not known: a clean list of results must not be taken for a clean image.
pub(crate) struct Invocation {
    pub(crate) unknown: Vec<String>,
    /// What the reader should know besides.
    pub(crate) notices: Vec<String>,
}

/// The document.
pub(crate) fn document(
    rules: &[Rule],
    invocation: Option<Invocation>,
    results: &[Outcome],
    stamp: &Stamp,
) -> String {
    let places: BTreeMap<&str, usize> =
        rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "kiln",
            "version": stamp.version,
            "rules": rules.iter().map(Rule::render).collect::<Vec<_>>(),
        }},
        "columnKind": "unicodeCodePoints",
        "results": results.iter().map(|result| result.render(places.get(result.rule.as_str()).copied())).collect::<Vec<_>>(),
    });
    if let Some(invocation) = invocation {
        let notify = |level: Level| move |text: &String| json!({"level": level.as_str(), "message": {"text": line(text)}});
        let unknown = invocation.unknown.iter().map(notify(Level::Warning));
        let notices = invocation.notices.iter().map(notify(Level::Note));
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "endTimeUtc": stamp.time,
            "toolExecutionNotifications": unknown.chain(notices).collect::<Vec<_>>(),
        }]);
    }
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    json!({"$schema": schema, "version": "2.1.0", "runs": [run]}).to_string()
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Rule {
    fn render(&self) -> Value {
        let help = lines(&self.help);
        let mut rule = json!({
            "id": line(&self.id),
            "name": self.name,
            "shortDescription": {"text": line(&self.short)},
            "help": if self.is_markdown { json!({"text": help, "markdown": help}) } else { json!({"text": help}) },
            "defaultConfiguration": {"level": self.level.as_str()},
        });
        if let Some(properties) = &self.properties {
            rule["properties"] = properties.clone();
        }
        rule
    }
}

impl Outcome {
    /// One that is only said; the rest is filled in by who knows it.
    pub(crate) fn new(rule: &str, level: Level, message: String) -> Self {
        Self {
            rule: rule.to_owned(),
            level,
            message,
            locations: Vec::new(),
            related: Vec::new(),
            fix: None,
            fingerprint: None,
            suppression: None,
        }
    }

    fn render(&self, rule_at: Option<usize>) -> Value {
        let locations = |all: &[Location]| all.iter().map(Location::render).collect::<Vec<_>>();
        let mut result = json!({
            "ruleId": line(&self.rule),
            "ruleIndex": rule_at,
            "level": self.level.as_str(),
            "message": {"text": lines(&self.message)},
            "locations": locations(&self.locations),
        });
        if !self.related.is_empty() {
            result["relatedLocations"] = json!(locations(&self.related));
        }
        if let Some(fix) = &self.fix {
            result["fixes"] = json!([fix.render()]);
        }
        if let Some((name, value)) = &self.fingerprint {
            result["partialFingerprints"] = json!({*name: line(value)});
        }
        if let Some(suppression) = &self.suppression {
            let kind = if suppression.is_in_source { "inSource" } else { "external" };
            result["suppressions"] = json!([{"kind": kind, "justification": line(&suppression.why)}]);
        }
        result
    }
}

impl Location {
    fn render(&self) -> Value {
        let mut location = json!({});
        if let Some((path, region)) = &self.file {
            location["physicalLocation"] =
                json!({"artifactLocation": artifact(path), "region": region.render()});
        }
        if let Some(name) = &self.name {
            location["logicalLocations"] = json!([{"fullyQualifiedName": line(name), "kind": "resource"}]);
        }
        if let Some(message) = &self.message {
            location["message"] = json!({"text": line(message)});
        }
        location
    }
}

impl Region {
    fn render(self) -> Value {
        match self {
            Self::Whole => json!({"startLine": 1}),
            Self::Part { start, end } => {
                json!({"startLine": start.0, "startColumn": start.1, "endLine": end.0, "endColumn": end.1})
            }
        }
    }
}

impl Fix {
    fn render(&self) -> Value {
        let replacements: Vec<Value> = self
            .replacements
            .iter()
            .map(
                |(region, text)| json!({"deletedRegion": region.render(), "insertedContent": {"text": text}}),
            )
            .collect();
        json!({
            "description": {"text": line(&self.title)},
            "artifactChanges": [{"artifactLocation": artifact(&self.path), "replacements": replacements}],
        })
    }
}

/// A path as a URI (RFC 3986), relative unless it starts at the root.
fn artifact(path: &str) -> Value {
    let escaped = Plain::PATH.encode(path.trim_start_matches("./")).to_string();
    json!({"uri": if escaped.starts_with('/') { format!("file://{escaped}") } else { escaped }})
}
