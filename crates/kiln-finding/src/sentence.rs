/// What errors say that could not be done: the verbs that they begin with. Any other beginning is a sentence of its own.
const VERBS: &str = "add adopt answer apply ask attach bind bring build change check choose clean close compile compose \
    connect copy create decompress delete download end enter explain extract fetch fill find finish \
    follow forbid get give go join judge keep limit link list listen load lock log look make map mount \
    move name note open pack parse pin prepare publish push put reach read recall receive remove rename \
    replace reserve resolve rewind rewrite run send set share ship sign speak start stop store sweep \
    sync take tell trust turn unmount unpack update upload use verify wait walk write";

/// What an error says, as a sentence: `read x` is told as `cannot read x`, and `x is not there` as it is.
///
/// Errors of all crates are either, and must not begin with a verb that is not known here: a test of kiln's reads them all.
pub fn sentence(what: &str) -> String {
    let first = what.split(' ').next().unwrap_or_default();
    if VERBS.split(' ').any(|verb| verb == first) { format!("cannot {what}") } else { what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_done_is_told() {
        assert!(VERBS.split(' ').is_sorted());
        assert_eq!(sentence("read kiln.toml"), "cannot read kiln.toml");
        assert_eq!(sentence("there is no image `app:1` here"), "there is no image `app:1` here");
        assert_eq!(sentence("`npm ci` failed with exit code 1"), "`npm ci` failed with exit code 1");
        assert_eq!(sentence(""), "");
    }
}
