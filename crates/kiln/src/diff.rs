//! The difference of two texts, as patch(1) reads it.

use similar::{Algorithm, TextDiff};

/// Lines around a change that are shown with it.
const AROUND: usize = 3;
/// How many lines two texts may have together for the shortest difference to be looked for: it costs their number times that
/// of the changes. Of longer ones, each side is shown whole.
const LINES_MAX: usize = 20_000;

/// The unified difference from `old` to `new`, two texts of the file `name`.
pub(crate) fn unified(name: &str, old: &str, new: &str) -> String {
    let from = if old.is_empty() { "/dev/null".to_owned() } else { format!("a/{name}") };
    let to = format!("b/{name}");
    let lines = old.lines().count() + new.lines().count();
    if lines > LINES_MAX {
        return replaced(&from, &to, old, new);
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(old, new);
    let mut unified = diff.unified_diff();
    unified.context_radius(AROUND).missing_newline_hint(false).header(&from, &to).to_string()
}

/// All of the old lines, then all of the new ones.
fn replaced(from: &str, to: &str, old: &str, new: &str) -> String {
    let side = |mark: char, text: &str| {
        text.lines().fold(String::new(), |mut side, line| {
            side.push(mark);
            side.push_str(line);
            side.push('\n');
            side
        })
    };
    let range = |text: &str| (usize::from(!text.is_empty()), text.lines().count());
    let ((old_at, old_lines), (new_at, new_lines)) = (range(old), range(new));
    let head = format!("--- {from}\n+++ {to}\n@@ -{old_at},{old_lines} +{new_at},{new_lines} @@\n");
    head + &side('-', old) + &side('+', new)
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn shows_what_changes_with_what_is_around_it() {
        let old = (1..=20).map(|line| line.to_string() + "\n").collect::<Vec<_>>().concat();
        let new = old.replace("\n5\n", "\nfive\n").replace("20\n", "20\n21\n");
        let expected = "--- a/x\n+++ b/x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n";
        assert_eq!(unified("x", &old, &new), expected);
        assert_eq!(unified("x", "", "a\n"), "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n");
    }

    #[test]
    fn long_texts_are_shown_whole() {
        let (old, new) = ("a\n".repeat(15_000), "b\n".repeat(15_000));
        let shown = unified("x", &old, &new);
        assert!(shown.starts_with("--- a/x\n+++ b/x\n@@ -1,15000 +1,15000 @@\n-a\n"));
        assert_eq!(shown.lines().count(), 30_003);
    }
}
