//! Recall and precision of matching, on the labelled truth beside the project.
//!
//! Recall counts over labels whose advisory the snapshot holds for that package and release; precision over all labels of packages whose
//! ecosystem it follows. What differs is put in classes by what the feed says, never by label.

mod classes;
mod facts;
mod labels;

use std::collections::BTreeMap;

use anyhow::Context as _;
use kiln_pkg::{Inventory, Package};
use kiln_vuln::{Database, Date, Terms, check};

use self::classes::Lookup;
use self::facts::Facts;
use self::labels::Label;
use crate::{snapshot, tree};

/// What came out for one ecosystem.
#[derive(Default)]
struct Tally {
    hits: usize,
    held: usize,
    unknown: usize,
    other_release: usize,
    refused: usize,
    false_hits: usize,
    missed: BTreeMap<&'static str, Vec<String>>,
    wrong: BTreeMap<&'static str, Vec<String>>,
}

/// Prints the tables; with `--all`, every label that differs.
#[expect(clippy::print_stdout, reason = "a chore prints what it measured")]
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let shows_all = args.iter().any(|arg| arg == "--all");
    let root = tree::root();
    let facts = std::fs::read_to_string(root.join("xtask/truth.toml")).context("read xtask/truth.toml")?;
    let facts = Facts::read(&facts)?;
    let folder = root.join("../shared/advisories");
    let database = Database::embedded();
    let mut labels = labels::images(&snapshot::read(&folder, "truth-match-labels")?, &facts, &database)?;
    labels.extend(labels::npm(&snapshot::read(&folder, "truth-npm-labels")?)?);
    labels.extend(labels::wolfi(&snapshot::read(&folder, "truth-wolfi-detections")?, &database)?);
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let both = classes::Contested::of(&labels);
    for label in &labels {
        count(tallies.entry(label.set).or_default(), label, &database, &both)?;
    }
    println!(
        "{:28} {:>6} {:>6} {:>8} {:>8} {:>10} {:>8}",
        "set", "held", "hit", "recall", "negative", "false hit", "precision"
    );
    for (name, tally) in &tallies {
        println!(
            "{name:28} {:>6} {:>6} {:>8} {:>8} {:>10} {:>8}",
            tally.held,
            tally.hits,
            percent(tally.hits, tally.held),
            tally.refused,
            tally.false_hits,
            percent(tally.hits, tally.hits + tally.false_hits),
        );
    }
    for (name, tally) in &tallies {
        println!("\n{name}");
        println!("  not held: {:>4}  no advisory about the package", tally.unknown);
        println!("  not held: {:>4}  the advisory is silent on the release", tally.other_release);
        for (what, classes) in [("missed", &tally.missed), ("false hit", &tally.wrong)] {
            for (class, labels) in classes {
                println!("  {what}: {:>5}  {class}", labels.len());
                let shown = if shows_all { labels.len() } else { 3 };
                labels.iter().take(shown).for_each(|label| println!("             {label}"));
            }
        }
    }
    Ok(())
}

fn count(
    tally: &mut Tally,
    label: &Label,
    database: &Database<'_>,
    contested: &classes::Contested,
) -> anyhow::Result<()> {
    let inventory = Inventory { packages: label.packages.clone(), ..Inventory::default() };
    let report = check(database, &inventory, &Terms::on(Date::default()))?;
    let named = |ids: &[String], id: &str| ids.iter().any(|known| known == id);
    let is_hit = report.matches.iter().any(|found| {
        found.name == label.about().name
            && (named(&label.ids, &found.id) || found.aliases.iter().any(|alias| named(&label.ids, alias)))
    });
    let line = || {
        let Package { name, version, distro, .. } = label.about();
        format!("{} {name} {version} {}", label.ids.join("/"), distro.as_deref().unwrap_or_default())
    };
    match (label.is_true, is_hit) {
        (true, true) => (tally.held, tally.hits) = (tally.held + 1, tally.hits + 1),
        (true, false) => match classes::miss(database, label)? {
            Lookup::NotHeld => tally.unknown += 1,
            Lookup::NotThisRelease => tally.other_release += 1,
            Lookup::Class(class) => {
                tally.held += 1;
                tally.missed.entry(contested.or(label, class)).or_default().push(line());
            }
        },
        (false, true) => {
            (tally.refused, tally.false_hits) = (tally.refused + 1, tally.false_hits + 1);
            let class = contested.or(label, classes::false_hit(&report, label));
            tally.wrong.entry(class).or_default().push(line());
        }
        (false, false) => tally.refused += 1,
    }
    Ok(())
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}
