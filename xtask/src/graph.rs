#![expect(clippy::print_stdout, reason = "a chore prints what it was asked for")]

use crate::ranks::{Ranks, members};
use crate::tree;

/// Prints the crates by rank, highest first, each with what it depends on.
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let ranks = Ranks::read()?;
    let members = members(&tree::files()?)?;
    for (number, rank) in ranks.rank.iter().enumerate().rev() {
        println!("{number} {}", rank.name);
        for name in &rank.crates {
            let needs = members.get(name).map(|member| &member.needs);
            let needs: Vec<&str> =
                needs.into_iter().flatten().map(|need| need.trim_start_matches("kiln-")).collect();
            println!("  {name:14}  {}", if needs.is_empty() { "-".to_owned() } else { needs.join(" ") });
        }
    }
    Ok(())
}
