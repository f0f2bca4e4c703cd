//! The alternatives that the braces of a glob stand for.

/// The most that one glob may stand for.
const MOST: usize = 256;

/// The globs without braces that `text` stands for: `{a,b}/c` is `a/c` and `b/c`. `None` where they are too many. What is no whole pair of
/// braces stays as it is.
pub fn alternatives(text: &str) -> Option<Vec<String>> {
    let (mut open, mut done) = (vec![text.to_owned()], Vec::new());
    while let Some(next) = open.pop() {
        match first_pair(&next) {
            Some(cuts) => open.extend(split(&next, &cuts)),
            None => done.push(next),
        }
        if open.len() + done.len() > MOST {
            return None;
        }
    }
    done.reverse();
    Some(done)
}

/// Where the first pair opens, its commas are, and it closes.
fn first_pair(text: &str) -> Option<Vec<usize>> {
    let (mut cuts, mut depth) = (Vec::new(), 0_usize);
    let (mut is_escaped, mut is_class) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b']' => is_class = false,
            _ if is_class => {}
            b'[' => is_class = true,
            b'{' => {
                depth += 1;
                if depth == 1 {
                    cuts.push(at);
                }
            }
            b',' if depth == 1 => cuts.push(at),
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    cuts.push(at);
                    return Some(cuts);
                }
            }
            _ => {}
        }
    }
    None
}

fn split<'a>(text: &'a str, cuts: &'a [usize]) -> impl Iterator<Item = String> + 'a {
    let (start, end) = (cuts[0], cuts[cuts.len() - 1]);
    let choices = cuts.windows(2).map(|pair| &text[pair[0] + 1..pair[1]]);
    choices.map(move |choice| format!("{}{choice}{}", &text[..start], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::alternatives;

    #[test]
    fn braces_are_what_they_stand_for() {
        for (text, all) in [
            ("a/b", &["a/b"][..]),
            ("{a,b}/c", &["a/c", "b/c"]),
            ("x{a,b{c,d}}{1,2}", &["xa1", "xa2", "xbc1", "xbc2", "xbd1", "xbd2"]),
            ("{docker.io/library,r.example}/node", &["docker.io/library/node", "r.example/node"]),
            ("a{,b}", &["a", "ab"]),
            ("\\{a,b}", &["\\{a,b}"]),
            ("[{]a,b}", &["[{]a,b}"]),
            ("{a", &["{a"]),
            ("日{本,x}", &["日本", "日x"]),
        ] {
            assert_eq!(alternatives(text).unwrap(), all, "{text}");
        }
        assert_eq!(alternatives(&"{a,b}".repeat(100)), None);
    }
}
