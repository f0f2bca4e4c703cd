//! Which heredocs a line announces.

use crate::expand::{Mode, Nothing, expand_words_in};

/// More heredocs in one instruction are refused.
pub(crate) const MAX_HEREDOCS: usize = 64;

/// `<<NAME`, before its body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) name: String,
    pub(crate) fd: u32,
    pub(crate) expand: bool,
    pub(crate) chomp: bool,
}

/// Whether a text is one word that announces a heredoc.
pub(crate) fn is_word(text: &str) -> bool {
    announced(text).is_some()
}

/// The heredocs of a joined line, in their order.
pub(crate) fn in_line(line: &str) -> Vec<Announced> {
    // Quotes and escapes stay, so that `"<<A"` is no heredoc and `<<"A"` is one with a quoted name.
    let mode = Mode { escape: '\\', raw_quotes: true, raw_escapes: true, keep_unset: true };
    let words = expand_words_in(line, &Nothing, mode).unwrap_or_default();
    words.iter().filter_map(|word| announced(word)).take(MAX_HEREDOCS + 1).collect()
}

/// The heredoc that one word announces.
pub(crate) fn announced(word: &str) -> Option<Announced> {
    let digits = word.len() - word.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let (number, rest) = word.split_at(digits);
    let rest = rest.strip_prefix("<<")?;
    let chomp = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    // `<<<` is another thing of the shell's.
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let plain = Mode { escape: '\\', raw_quotes: false, raw_escapes: false, keep_unset: true };
    let raw = Mode { raw_quotes: true, raw_escapes: true, ..plain };
    let [name] = <[String; 1]>::try_from(expand_words_in(rest, &Nothing, plain).ok()?).ok()?;
    let written = expand_words_in(rest, &Nothing, raw).ok()?;
    let expand = written.first() == Some(&name);
    Some(Announced { name, fd: number.parse().unwrap_or(0), expand, chomp })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<(String, bool, bool)> {
        in_line(line).into_iter().map(|heredoc| (heredoc.name, heredoc.expand, heredoc.chomp)).collect()
    }

    #[test]
    fn heredocs_are_words_of_their_own() {
        let one = |name: &str, expand, chomp| vec![(name.to_owned(), expand, chomp)];
        assert_eq!(names("RUN <<EOF"), one("EOF", true, false));
        assert_eq!(names("RUN <<-EOF"), one("EOF", true, true));
        assert_eq!(names("RUN <<\"EOF\" cat"), one("EOF", false, false));
        assert_eq!(names("RUN <<'E O F'"), one("E O F", false, false));
        assert_eq!(names("RUN <<E\\OF"), one("EOF", false, false));
        assert_eq!(names("RUN 3<<EOF"), one("EOF", true, false));
        assert_eq!(names("COPY <<a <<b /x/").len(), 2);
        for line in ["RUN echo <<<x", "RUN '<<EOF'", "RUN \"<<EOF\"", "RUN a<<EOF", "RUN $((1<<2))", "RUN <<"]
        {
            assert_eq!(names(line), [], "{line}");
        }
    }
}
