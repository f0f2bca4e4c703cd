use anyhow::ensure;

/// Words that Rust keeps for itself, and names of files that mean something else.
const TAKEN: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if \
    impl in let loop macro main match mod move mut override priv pub ref return self static struct super test tests trait true try type \
    typeof unsafe unsized use virtual where while yield";

/// A name of lower-case words, as `apk` or `npm_lock`.
pub(super) struct Name(String);

impl Name {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let is_word = |word: &str| {
            word.starts_with(|char: char| char.is_ascii_lowercase())
                && word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        };
        ensure!(
            text.len() <= 50 && text.split('_').all(is_word),
            "`{text}` is no name: it has lower-case letters and digits, and `_` between words"
        );
        ensure!(TAKEN.split_whitespace().all(|word| word != text), "`{text}` means something else in Rust");
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The template with the name in it.
    pub(super) fn fill(&self, template: &str) -> String {
        let words = self.0.replace('_', " ");
        let words = words[..1].to_uppercase() + &words[1..];
        template
            .replace("@name@", &self.0)
            .replace("@dashed@", &self.0.replace('_', "-"))
            .replace("@CAPITALS@", &self.0.to_uppercase())
            .replace("@Words@", &words)
    }
}

/// A name with the id before it, as `df091_old_label`.
pub(super) struct Numbered {
    /// As `DF091`.
    pub(super) id: String,
    pub(super) name: Name,
}

impl Numbered {
    /// `areas` are the letters that its id may begin with.
    pub(super) fn parse(text: &str, areas: &[&str]) -> anyhow::Result<Self> {
        let (id, name) = text.split_once('_').unwrap_or((text, ""));
        let id = id.to_uppercase();
        let is_id = areas.iter().any(|area| {
            let digits = id.strip_prefix(area).unwrap_or_default();
            digits.len() == 3 && digits.chars().all(|char| char.is_ascii_digit())
        });
        let example = areas.first().map(|area| area.to_lowercase()).unwrap_or_default();
        ensure!(
            is_id && !name.is_empty(),
            "`{text}` is no id with a name, as {example}123_some_name: ids are {} and three digits",
            areas.join(", ")
        );
        Ok(Self { id, name: Name::parse(name)? })
    }

    /// As files are called: `df091_old_label`.
    pub(super) fn stem(&self) -> String {
        format!("{}_{}", self.id.to_lowercase(), self.name.as_str())
    }

    pub(super) fn fill(&self, template: &str) -> String {
        self.name.fill(template).replace("@ID@", &self.id)
    }
}
