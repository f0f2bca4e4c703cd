use kiln_node::{AppFacts, PackageJson};

use super::Start;
use super::programs::{Asked, asked};

const TABLE: &str = include_str!("../../data/outputs.tsv");

/// A row of `data/outputs.tsv`, which says what the columns are.
#[derive(Clone, Copy)]
struct Output {
    framework: &'static str,
    packages: &'static str,
    says: Option<(&'static str, &'static str)>,
    file: &'static str,
    port: Option<u16>,
    env: &'static str,
}

/// The server that the build of a project in `app` leaves behind, by the framework that it is built with, and the evidence.
pub(super) fn of(facts: &AppFacts, package: &PackageJson, app: &str) -> Option<(Start, String)> {
    if !package.scripts.contains_key("build") {
        return None;
    }
    let asks_for = |name: &str| asked(package, name) != Asked::Not;
    let (row, evidence) = rows().filter(|row| row.packages.split(',').all(asks_for)).find_map(|row| {
        let packages = format!("it asks for {}", row.packages.replace(',', " and "));
        let Some((file, text)) = row.says else { return Some((row, packages)) };
        let file = saying(facts, app, file, text)?;
        Some((row, format!("{packages}, and {file} says {text}")))
    })?;
    let env = row.env.split(',').filter_map(|pair| pair.split_once('='));
    let start = Start {
        argv: vec![row.file.to_owned()],
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        folder: app.to_owned(),
        port: row.port,
        ..Start::default()
    };
    let because =
        format!("there is no start script, and this is what a build of {} leaves: {evidence}", row.framework);
    Some((start, because))
}

/// The file at the top of the project whose name starts so and which says such, without quotes and space.
fn saying(facts: &AppFacts, app: &str, file: &str, text: &str) -> Option<String> {
    let top = if app.is_empty() { file.to_owned() } else { format!("{app}/{file}") };
    let says = |source: &str| {
        let bare: String = source.chars().filter(|c| !c.is_whitespace() && !"'\"`".contains(*c)).collect();
        bare.contains(text)
    };
    let mut sources = facts.sources.iter().filter(|(path, _)| path.as_str().starts_with(&top));
    sources.find(|(_, source)| says(source)).map(|(path, _)| path.to_string())
}

fn rows() -> impl Iterator<Item = Output> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row)
}

fn row(line: &'static str) -> Option<Output> {
    let mut columns = line.split('\t');
    let (framework, packages) = (columns.next()?, columns.next()?);
    let says = columns.next()?.split_once(':');
    let (file, port, env) = (columns.next()?, columns.next()?.parse().ok(), columns.next()?);
    Some(Output { framework, packages, says, file, port, env })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
        for row in rows() {
            let is_program = [".js", ".mjs", ".cjs"].iter().any(|end| row.file.ends_with(end));
            assert!(is_program && row.port.is_some(), "{}", row.framework);
        }
    }
}
