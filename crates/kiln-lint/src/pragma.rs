use kiln_dockerfile::{Comment, Dockerfile, Span};

use crate::Finding;

/// Comments that allow what a rule finds: `# kiln: allow DF023 reason`, hadolint's `# hadolint ignore=…` and BuildKit's
/// `# check=skip=…`.
pub(crate) struct Pragmas {
    pub(crate) list: Vec<Pragma>,
}

/// One such comment.
pub(crate) struct Pragma {
    /// Ids, slugs or aliases, as written; `all` is all of BuildKit's.
    pub(crate) names: Vec<String>,
    pub(crate) reason: String,
    /// Where it counts; `None` is the whole file.
    pub(crate) scope: Option<Span>,
    pub(crate) span: Span,
    pub(crate) origin: Origin,
}

/// What a rule is called, here and elsewhere.
pub(crate) struct Called {
    pub(crate) id: &'static str,
    pub(crate) slug: &'static str,
    pub(crate) aliases: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Kiln,
    Hadolint,
    BuildKit,
}

impl Pragmas {
    pub(crate) fn read(file: &Dockerfile) -> Self {
        let mut list: Vec<Pragma> = file.comments.iter().filter_map(|comment| read(file, comment)).collect();
        for directive in file.directives.iter().filter(|directive| directive.name == "check") {
            let names = skipped(&directive.value.value);
            list.push(Pragma {
                names,
                reason: String::new(),
                scope: None,
                span: directive.span,
                origin: Origin::BuildKit,
            });
        }
        Self { list }
    }

    pub(crate) fn allow(&self, file: &Dockerfile, finding: &Finding, rules: &[Called]) -> bool {
        let Some(rule) = rules.iter().find(|rule| rule.id == finding.id) else { return false };
        self.list.iter().any(|pragma| {
            let is_here = pragma.scope.is_none_or(|scope| {
                let line = file.lines.position(&file.text, finding.span.start).line;
                let first = file.lines.line(scope.start);
                let last = file.lines.line(scope.end.max(scope.start + 1) - 1);
                (first..=last).contains(&line)
            });
            is_here && pragma.is_fit() && pragma.names.iter().any(|name| rule.is(name, pragma.origin))
        })
    }
}

impl Pragma {
    /// A reason is part of kiln's own form.
    pub(crate) fn is_fit(&self) -> bool {
        self.origin != Origin::Kiln || !self.reason.is_empty()
    }
}

impl Called {
    /// Whether a name of a comment means it.
    pub(crate) fn is(&self, name: &str, origin: Origin) -> bool {
        let has_alias = |known: &str| known.eq_ignore_ascii_case(name);
        match origin {
            Origin::Kiln => {
                self.id.eq_ignore_ascii_case(name) || self.slug == name || self.slug.replace('_', "-") == name
            }
            Origin::Hadolint => self.aliases.iter().any(|alias| has_alias(alias)),
            Origin::BuildKit => {
                self.aliases.iter().any(|alias| has_alias(alias) || (name == "all" && is_buildkit(alias)))
            }
        }
    }
}

/// BuildKit's names are words; those of others have digits.
fn is_buildkit(alias: &str) -> bool {
    alias.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn read(file: &Dockerfile, comment: &Comment) -> Option<Pragma> {
    let text = comment.text.value.as_str();
    let after = |prefix: &str| text.strip_prefix(prefix).map(str::trim_start);
    let scope = || Some(what_follows(file, comment));
    let span = comment.span;
    if let Some(rest) = after("kiln:").and_then(|rest| rest.strip_prefix("allow")) {
        let mut words = rest.split_whitespace().peekable();
        let mut list = Vec::new();
        while let Some(word) = words.peek().copied() {
            let name = word.trim_end_matches([',', ':']);
            let is_more = list.is_empty() || looks_like_id(name);
            if !is_more {
                break;
            }
            list.push(name.to_owned());
            words.next();
        }
        let reason = words.collect::<Vec<_>>().join(" ");
        return Some(Pragma { names: list, reason, scope: scope(), span, origin: Origin::Kiln });
    }
    if let Some(rest) = after("hadolint") {
        let (scope, rest) = match rest.strip_prefix("global") {
            Some(rest) => (None, rest.trim_start()),
            None => (scope(), rest.strip_prefix("stage").map_or(rest, str::trim_start)),
        };
        let list = rest.strip_prefix("ignore")?.trim_start().strip_prefix('=')?;
        let names = list
            .split(',')
            .map(|name| name.split_whitespace().next().unwrap_or_default().to_owned())
            .collect();
        return Some(Pragma { names, reason: String::new(), scope, span, origin: Origin::Hadolint });
    }
    if let Some(rest) = after("check").and_then(|rest| rest.strip_prefix('=')) {
        return Some(Pragma {
            names: skipped(rest),
            reason: String::new(),
            scope: scope(),
            span,
            origin: Origin::BuildKit,
        });
    }
    None
}

fn looks_like_id(word: &str) -> bool {
    word.len() == 5
        && (word.starts_with("DF") || word.starts_with("NA"))
        && word.bytes().skip(2).all(|byte| byte.is_ascii_digit())
}

/// The names after `skip=`.
fn skipped(text: &str) -> Vec<String> {
    let options = text.split(';').filter_map(|option| option.trim().strip_prefix("skip="));
    options.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect()
}

/// The instruction that a comment stands above or inside.
fn what_follows(file: &Dockerfile, comment: &Comment) -> Span {
    let next = file.instructions.iter().find(|instruction| instruction.span.end > comment.span.start);
    next.map_or(comment.span, |instruction| instruction.span)
}
