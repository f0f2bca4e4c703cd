use std::cmp::Ordering;

use kiln_pkg::version::deb::compare;

/// One package of a dependency, with the versions that will do. Source: deb-control(5), Policy 7.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: Option<(Operator, &'a str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    LessEqual,
    Equal,
    GreaterEqual,
    Greater,
}

/// The dependencies of a field: each is a list of alternatives.
pub(crate) fn parse(field: &str) -> Vec<Vec<Relation<'_>>> {
    field
        .split(',')
        .map(|group| group.split('|').filter_map(parse_one).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
        .collect()
}

fn parse_one(text: &str) -> Option<Relation<'_>> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_whitespace() || c == '(' || c == '[').unwrap_or(text.len());
    let name = text[..end].split(':').next()?;
    let version = text.split_once('(').and_then(|(_, rest)| parse_version(rest.split_once(')')?.0.trim()));
    (!name.is_empty()).then_some(Relation { name, version })
}

fn parse_version(text: &str) -> Option<(Operator, &str)> {
    let end = text.find(|c| !matches!(c, '<' | '>' | '='))?;
    let operator = match &text[..end] {
        "<<" => Operator::Less,
        "<=" | "<" => Operator::LessEqual,
        "=" => Operator::Equal,
        ">=" | ">" => Operator::GreaterEqual,
        ">>" => Operator::Greater,
        _ => return None,
    };
    Some((operator, text[end..].trim()))
}

impl Relation<'_> {
    /// Whether `version` will do.
    pub(crate) fn accepts(&self, version: &str) -> bool {
        let Some((operator, wanted)) = self.version else { return true };
        let order = compare(version, wanted);
        match operator {
            Operator::Less => order == Ordering::Less,
            Operator::LessEqual => order != Ordering::Greater,
            Operator::Equal => order == Ordering::Equal,
            Operator::GreaterEqual => order != Ordering::Less,
            Operator::Greater => order == Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_alternatives_and_qualifiers() {
        let found = parse("libc6 (>= 2.38), debconf (>= 0.5)|debconf-2.0, python3:any, x [amd64]");
        assert_eq!(found.len(), 4);
        assert_eq!(found[0][0], Relation { name: "libc6", version: Some((Operator::GreaterEqual, "2.38")) });
        assert_eq!(found[1].len(), 2);
        assert_eq!(found[2][0].name, "python3");
        assert_eq!(found[3][0].name, "x");
        assert!(found[0][0].accepts("2.41-12") && !found[0][0].accepts("2.36"));
        assert!(parse("").is_empty());
    }
}
