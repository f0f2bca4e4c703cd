//! Globs over names that have parts between slashes: paths, names of images, names of packages.

use std::sync::OnceLock;

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

/// The longest glob, in bytes. Matching is linear in the length of a name, and costs this much for each of its bytes at most.
const LONGEST: usize = 4096;

/// The characters that do not stand for themselves.
const MEANING: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// A glob, in the one dialect that kiln has for whatever is not Docker's:
///
/// - `*` is any run of bytes within one part of a name, `?` is one byte of it.
/// - `**` as a whole part is any number of parts, none too: `**/b`, `a/**/b`; and `a/**` is `a` with all that is below it.
///   Elsewhere two stars are as good as one.
/// - `{a,b}` is one of several, and `[a-z]` and `[!a-z]` are one byte, but never a slash.
/// - `\` takes the meaning from what follows it. Every other character is itself, and a glob is about the whole name.
///
/// Patterns of COPY, .dockerignore and `${name#pattern}` are Docker's own and belong to kiln-dockerfile; .gitignore is git's.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    reading: Reading,
}

#[derive(Clone, Debug)]
enum Reading {
    /// It has no character with a meaning.
    Literal,
    /// Compiled when it is first asked; the second is what stands before a `/**` at its end.
    Pattern { globs: Vec<globset::Glob>, matchers: OnceLock<Vec<GlobMatcher>> },
}

/// Several globs, asked at once.
#[derive(Debug)]
pub struct Globs(GlobSet);

/// Why a text is no glob.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BadGlob(Why);

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("the glob is longer than {LONGEST} bytes")]
    Long,
    #[error(transparent)]
    Syntax(#[from] globset::Error),
}

impl Glob {
    /// Reads a glob.
    pub fn parse(text: &str) -> Result<Self, BadGlob> {
        if text.len() > LONGEST {
            return Err(BadGlob(Why::Long));
        }
        let reading = if text.contains(MEANING) {
            Reading::Pattern { globs: read(text)?, matchers: OnceLock::new() }
        } else {
            Reading::Literal
        };
        Ok(Self { text: text.to_owned(), reading })
    }

    /// Reads a glob; a text that is none stands for itself.
    pub fn or_literal(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self { text: text.to_owned(), reading: Reading::Literal })
    }

    /// Whether it is all of `name`.
    pub fn is_match(&self, name: &str) -> bool {
        match &self.reading {
            Reading::Literal => self.text == name,
            Reading::Pattern { globs, matchers } => {
                // Most names differ at their start, and then nothing is compiled.
                let stem = self.text.split(MEANING).next().unwrap_or_default().trim_end_matches('/');
                let compile = || globs.iter().map(globset::Glob::compile_matcher).collect();
                name.starts_with(stem)
                    && matchers.get_or_init(compile).iter().any(|matcher| matcher.is_match(name))
            }
        }
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl Globs {
    /// Reads globs; a text that is none stands for itself.
    pub fn or_literal<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadGlob> {
        let mut set = GlobSetBuilder::new();
        for text in texts {
            let globs = read(text).or_else(|_| read(&literal(text)))?;
            for glob in globs {
                set.add(glob);
            }
        }
        Ok(Self(set.build().map_err(Why::Syntax).map_err(BadGlob)?))
    }

    /// Whether one of them is all of `name`.
    pub fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// A glob, and what stands before a `/**` at its end.
fn read(text: &str) -> Result<Vec<globset::Glob>, BadGlob> {
    let one = |text: &str| {
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        glob.map_err(Why::Syntax).map_err(BadGlob)
    };
    let itself = text.strip_suffix("/**").filter(|itself| !itself.is_empty());
    [Some(text), itself].into_iter().flatten().map(one).collect()
}

/// The glob that is only `text`. The crate's own escapes no backslash.
fn literal(text: &str) -> String {
    text.chars().flat_map(|char| MEANING.contains(&char).then_some('\\').into_iter().chain([char])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn tells(glob: &str, yes: &[&str], no: &[&str]) {
        let one = Glob::parse(glob).unwrap();
        let several = Globs::or_literal([glob]).unwrap();
        for (names, expected) in [(yes, true), (no, false)] {
            for name in names {
                assert_eq!(one.is_match(name), expected, "{glob} {name}");
                assert_eq!(several.is_match(name), expected, "{glob} {name}, among several");
            }
        }
    }

    #[test]
    fn the_dialect_is_what_its_page_says() {
        tells("a", &["a"], &["", "A", "a/b", "b/a"]);
        tells(
            "kiln/node:*",
            &["kiln/node:24-debian13", "kiln/node:"],
            &["evil/kiln/node:24", "kiln/node:24/x"],
        );
        tells("*", &["a", ""], &["a/b"]);
        tells("a?c", &["abc"], &["ac", "a/c", "abbc"]);
        tells("**", &["a", "a/b", ""], &[]);
        tells("**/b", &["b", "a/b", "a/a/b"], &["ab", "b/a"]);
        tells("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]);
        tells("a/**", &["a", "a/b", "a/b/c"], &["ab", "b/a"]);
        tells("a**c", &["ac", "abbc"], &["a/c"]);
        tells("{a,b}/*", &["a/x", "b/y"], &["c/x"]);
        tells("[a-c]x[!a]", &["axb"], &["dxb", "axa", "ax/"]);
        tells("[+-0]", &["+", "0"], &["/"]);
        tells("\\*\\{", &["*{"], &["a{"]);
        tells("", &[""], &["a"]);
        tells("日*", &["日本"], &["本"]);
        tells("a*b", &["a\nb"], &[]);
    }

    #[test]
    fn what_is_no_glob_is_refused_or_itself() {
        for text in ["[", "{a", "a}", "[b-a]", "\\"] {
            assert!(Glob::parse(text).is_err(), "{text}");
            assert!(Glob::or_literal(text).is_match(text), "{text}");
            assert!(Globs::or_literal([text]).unwrap().is_match(text), "{text}");
        }
        assert!(Glob::parse(&"a".repeat(LONGEST + 1)).unwrap_err().to_string().contains("4096"));
    }

    #[test]
    fn globs_made_to_be_slow_are_not() {
        for piece in ["*a", "?", "[a-b]", "{a,*b}", "**/", "{a,", "*"] {
            let glob = Glob::or_literal(&piece.repeat(LONGEST / piece.len()));
            glob.is_match(&"a".repeat(3000));
            glob.is_match(&vec!["a"; 1500].join("/"));
        }
        assert!(!Glob::parse(&"a*".repeat(200)).unwrap().is_match(&"a".repeat(199)));
    }
}
