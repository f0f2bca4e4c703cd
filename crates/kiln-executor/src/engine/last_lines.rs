//! What of a failing command's output says why it failed.

/// How many lines are shown.
const SHOWN: usize = 30;
/// Where npm begins to say how it is called, which tells nobody what was wrong.
const USAGE: [&str; 2] = ["npm error Usage:", "npm ERR! Usage:"];
/// Compilers that say a file and a line for each error, and how such lines look.
const COMPILER: &str = "error TS";
/// What newer releases of npm say of settings that kiln makes for older ones.
const OF_SETTINGS: &str = "npm warn Unknown env config";

/// The lines that tell most, of the last ones that a command wrote: those before npm's usage, and, where a compiler named what it
/// refuses, its first errors in place of what followed them.
pub(super) fn telling(lines: &[String]) -> Vec<&str> {
    let told = lines.iter().map(String::as_str).filter(|line| !line.starts_with(OF_SETTINGS));
    let lines: Vec<&str> = told.collect();
    let end = lines.iter().position(|line| USAGE.iter().any(|usage| line.starts_with(usage)));
    let lines = &lines[..end.unwrap_or(lines.len())];
    let first = lines.iter().position(|line| line.contains(COMPILER));
    let last = lines.len().saturating_sub(SHOWN);
    let start = first.map_or(last, |first| first.min(last));
    lines[start..].iter().take(SHOWN).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        telling(&lines).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn npm_says_what_is_missing_and_not_how_it_is_called() {
        let usage = "npm error   --audit\n".repeat(80);
        let text = format!(
            "npm warn Unknown env config \"onload-script\". This will stop working.\nnpm error code EUSAGE\nnpm error Missing: a@1 from lock file\nnpm error Usage:\n{usage}"
        );
        assert_eq!(told(&text), ["npm error code EUSAGE", "npm error Missing: a@1 from lock file"]);
    }

    #[test]
    fn the_first_error_of_a_compiler_is_shown() {
        let later = "src/b.ts(1,1): error TS2\n".repeat(60);
        let shown = told(&format!("> tsc\nsrc/a.ts(3,4): error TS2322: no number\n{later}"));
        assert_eq!((shown[0].as_str(), shown.len()), ("src/a.ts(3,4): error TS2322: no number", SHOWN));
    }

    #[test]
    fn else_the_end_is_shown() {
        let text = (0..100).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        let shown = told(&text);
        assert_eq!((shown.len(), shown[SHOWN - 1].as_str()), (SHOWN, "99"));
        assert_eq!(told(""), [""; 0]);
    }
}
