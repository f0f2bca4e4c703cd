//! The difference of two texts, as patch(1) reads it.

use std::fmt::Write;

/// Lines around a change that are shown with it.
const AROUND: usize = 3;

/// One line of the difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The unified difference from `old` to `new`, two texts of the file `name`.
pub(crate) fn unified(name: &str, old: &str, new: &str) -> String {
    let lines = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let from = if old.is_empty() { "/dev/null".to_owned() } else { format!("a/{name}") };
    let mut text = format!("--- {from}\n+++ b/{name}\n");
    let changes: Vec<usize> = (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Same(_))).collect();
    let mut rest = changes.as_slice();
    while let Some(&first) = rest.first() {
        let near = rest.windows(2).take_while(|pair| pair[1] - pair[0] <= 2 * AROUND).count();
        let last = rest[near];
        hunk(&mut text, &lines, first.saturating_sub(AROUND), (last + AROUND + 1).min(lines.len()));
        rest = &rest[near + 1..];
    }
    text
}

fn hunk(text: &mut String, lines: &[Line<'_>], from: usize, to: usize) {
    let count = |lines: &[Line<'_>], is_old: bool| {
        let unwanted =
            |line: &&Line<'_>| matches!((line, is_old), (Line::New(_), true) | (Line::Old(_), false));
        lines.iter().filter(|line| !unwanted(line)).count()
    };
    let range = |is_old| {
        let (before, inside) = (count(&lines[..from], is_old), count(&lines[from..to], is_old));
        format!("{},{inside}", if inside == 0 { before } else { before + 1 })
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "@@ -{} +{} @@", range(true), range(false));
    for line in &lines[from..to] {
        let (mark, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Old(line) => ('-', line),
            Line::New(line) => ('+', line),
        };
        let _ = writeln!(text, "{mark}{line}");
    }
}

/// By the longest common row of lines; the files of an app are short.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for (o, one) in old.iter().enumerate().rev() {
        for (n, other) in new.iter().enumerate().rev() {
            longest[o * width + n] = if one == other {
                longest[(o + 1) * width + n + 1] + 1
            } else {
                longest[(o + 1) * width + n].max(longest[o * width + n + 1])
            };
        }
    }
    let (mut o, mut n) = (0, 0);
    let mut lines = Vec::new();
    while o < old.len() || n < new.len() {
        if o < old.len() && n < new.len() && old[o] == new[n] {
            lines.push(Line::Same(old[o]));
            (o, n) = (o + 1, n + 1);
        } else if o < old.len()
            && (n == new.len() || longest[(o + 1) * width + n] >= longest[o * width + n + 1])
        {
            lines.push(Line::Old(old[o]));
            o += 1;
        } else {
            lines.push(Line::New(new[n]));
            n += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn shows_what_changes_with_what_is_around_it() {
        let old: String = (1..=20).flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
        let new = old.replace("\n5\n", "\nfive\n").replace("20\n", "20\n21\n");
        let expected = "--- a/x\n+++ b/x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n";
        assert_eq!(unified("x", &old, &new), expected);
        assert_eq!(unified("x", "", "a\n"), "--- /dev/null\n+++ b/x\n@@ -0,0 +1,1 @@\n+a\n");
    }
}
