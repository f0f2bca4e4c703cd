use clap::{CommandFactory, FromArgMatches, Parser};
use kiln_report::FORMATS;

use crate::commands::{Command, GROUPS, takes};
use crate::global::{Global, formats};

/// Turns a Node.js app into a hardened, scanned, signed container image, and proves it.
#[derive(Parser)]
#[command(name = "kiln", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What the command line says.
pub(crate) fn parse() -> Args {
    let matches = command().get_matches();
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    // One that stands before the command was read before it was known which command it is for.
    if let Some(name) = matches.subcommand_name()
        && !takes(name, args.global.format)
    {
        let known = FORMATS.iter().filter(|format| takes(name, format)).map(|format| format.name);
        let message = format!(
            "`kiln {name}` does not write the format {}; it writes {}",
            args.global.format.name,
            known.collect::<Vec<_>>().join(", ")
        );
        command().error(clap::error::ErrorKind::InvalidValue, message).exit();
    }
    args
}

/// Every command, with the formats that it takes.
fn command() -> clap::Command {
    let mut command = Args::command();
    let names: Vec<String> = command.get_subcommands().map(|known| known.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(&name, |known| {
            let format = clap::Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .global(true)
                .help("How the result is written to standard output")
                .value_parser(formats(|format| takes(&name, format)))
                .default_value("human");
            known.arg(format)
        });
    }
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\nOptions:\n{{options}}{{after-help}}",
        listed(&command)
    );
    command.help_template(template)
}

/// The commands by their groups.
fn listed(command: &clap::Command) -> String {
    let width = command.get_subcommands().map(|known| known.get_name().len()).max().unwrap_or_default();
    let about = |name: &str| match command.find_subcommand(name).and_then(clap::Command::get_about) {
        Some(about) => about.to_string(),
        None => "Print this message or the help of a command".to_owned(),
    };
    let line = |name: &&str| format!("  {name:width$}  {}\n", about(name));
    let group = |(title, names): &(&str, &[&str])| {
        format!("\n{title}:\n{}", names.iter().map(line).collect::<String>())
    };
    GROUPS.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> =
            GROUPS.iter().flat_map(|(_, names)| *names).copied().filter(|name| *name != "help").collect();
        grouped.sort_unstable();
        let command = command();
        let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }

    #[test]
    fn the_formats_of_a_command_are_those_it_can_write() {
        let taken = |command: &str| -> Vec<&str> {
            FORMATS.iter().filter(|format| takes(command, format)).map(|format| format.name).collect()
        };
        assert_eq!(taken("plan"), ["human", "json"]);
        assert_eq!(taken("ship"), ["github", "human", "json", "junit", "markdown", "sarif"]);
        assert_eq!(taken("lint"), ["github", "gitlab", "human", "json", "junit", "markdown", "sarif"]);
        assert_eq!(taken("scan").len(), FORMATS.len());
    }
}
