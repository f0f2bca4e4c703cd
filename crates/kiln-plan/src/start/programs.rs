use kiln_node::PackageJson;

/// A row of `data/programs.tsv`, which says what the columns are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) kind: ProgramKind,
    pub(super) package: &'static str,
    pub(super) file: &'static str,
    pub(super) port: Option<u16>,
    /// What to do in place of a program for desks; of a server, what lets others reach it.
    pub(super) instead: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgramKind {
    Server,
    Output,
    Keeper,
    Desk,
}

const TABLE: &str = include_str!("../../data/programs.tsv");

/// The program of this name, where the table has it.
pub(super) fn find(name: &str) -> Option<Program> {
    rows().find(|(known, _)| *known == name).map(|(_, program)| program)
}

fn rows() -> impl Iterator<Item = (&'static str, Program)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row)
}

fn row(line: &'static str) -> Option<(&'static str, Program)> {
    let mut columns = line.split('\t');
    let name = columns.next()?;
    let kind = match columns.next()? {
        "server" => ProgramKind::Server,
        "output" => ProgramKind::Output,
        "keeper" => ProgramKind::Keeper,
        "desk" => ProgramKind::Desk,
        _ => return None,
    };
    let mut next = || columns.next().unwrap_or_default();
    let (package, file, port, instead) = (next(), next(), next(), next());
    Some((name, Program { kind, package, file, port: port.parse().ok(), instead }))
}

/// Where a package stands in `package.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Production,
    Development,
    Not,
}

pub(super) fn asked(package: &PackageJson, name: &str) -> Asked {
    if package.dependencies.contains_key(name) || package.optional_dependencies.contains_key(name) {
        Asked::Production
    } else if package.dev_dependencies.contains_key(name) {
        Asked::Development
    } else {
        Asked::Not
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let rows: Vec<_> = rows().collect();
        assert_eq!(rows.len(), lines, "a line is no row");
        for (name, row) in &rows {
            let is_whole = match row.kind {
                ProgramKind::Server | ProgramKind::Output => {
                    !row.package.is_empty() && row.file.contains('.') | row.file.contains('/')
                }
                ProgramKind::Keeper => row.package.is_empty(),
                ProgramKind::Desk => row.instead.len() > 10,
            };
            assert!(is_whole, "{name}");
        }
    }
}
