use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, FromArgMatches as _};
use kiln_finding::Failure;
use kiln_report::FORMATS;

use crate::command::{Asked, Entry, Group};
use crate::commands::COMMANDS;
use crate::global::{Format, Global, formats};
use crate::output;

/// What the command line says.
pub(crate) struct Args {
    pub(crate) command: Box<dyn Asked>,
    pub(crate) global: Global,
}

/// Reads the command line; where it is wrong, or asks for help, that is told, and the exit code is what is left.
pub(crate) fn parse() -> Result<Args, ExitCode> {
    let read = command().try_get_matches().and_then(|matches| read(&matches));
    read.map_err(|error| {
        if error.use_stderr() && asks_for_json(std::env::args_os().skip(1)) {
            return output::report(&wrong(&error), Format::Json);
        }
        error.format(&mut command()).exit()
    })
}

/// Whether a command line that cannot be read asks for JSON.
fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let mut is_format = false;
    for word in words {
        let word = word.to_string_lossy();
        let named = if is_format { Some(&*word) } else { word.strip_prefix("--format=") };
        if let Some(format) = named.and_then(kiln_report::Format::find) {
            return format.name == "json";
        }
        is_format = word == "--format";
    }
    false
}

fn wrong(error: &clap::Error) -> Failure {
    let told = error.render().to_string();
    let first = told.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.strip_prefix("error: ").unwrap_or(first).split_whitespace().collect();
    let tip = told.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
    let help = tip.unwrap_or("`kiln --help` and `kiln COMMAND --help` say what is taken");
    Failure::usage(words.join(" ")).with_help(help)
}

fn read(matches: &ArgMatches) -> Result<Args, clap::Error> {
    let global = Global::from_arg_matches(matches)?;
    let (name, given) = matches.subcommand().expect("clap asks for a command");
    let entry = find(name).expect("clap takes only commands of the table");
    // One that stands before the command was read before it was known which command it is for.
    if !entry.takes(global.format) {
        let known = FORMATS.iter().filter(|format| entry.takes(format)).map(|format| format.name);
        let message = format!(
            "`kiln {name}` does not write the format {}; it writes {}",
            global.format.name,
            known.collect::<Vec<_>>().join(", ")
        );
        return Err(clap::Error::raw(ErrorKind::InvalidValue, message));
    }
    Ok(Args { command: entry.read(given)?, global })
}

fn find(name: &str) -> Option<&'static dyn Entry> {
    COMMANDS.iter().copied().find(|entry| entry.name() == name)
}

/// Every command, with the formats that it takes.
fn command() -> clap::Command {
    let kiln = Global::augment_args(clap::Command::new("kiln"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("Turns a Node.js app into a hardened, scanned, signed container image, and proves it")
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(COMMANDS.iter().map(|entry| described(*entry)));
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\nOptions:\n{{options}}{{after-help}}",
        listed(&kiln)
    );
    kiln.help_template(template)
}

fn described(entry: &'static dyn Entry) -> clap::Command {
    let format = clap::Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .global(true)
        .help("How the result is written to standard output")
        .value_parser(formats(|format| entry.takes(format)))
        .default_value("human");
    entry.described().arg(format)
}

/// The commands by their groups.
fn listed(command: &clap::Command) -> String {
    let width = COMMANDS.iter().map(|entry| entry.name().len()).max().unwrap_or_default();
    let line = |name: &str, about: &str| format!("  {name:width$}  {about}\n");
    let about = |name: &str| command.find_subcommand(name).and_then(clap::Command::get_about);
    let group = |group: Group| {
        let mut entries: Vec<_> = COMMANDS.iter().filter(|entry| entry.group() == group).collect();
        entries.sort_by_key(|entry| (entry.order(), entry.name()));
        let lines = entries.iter().map(|entry| {
            let about = about(entry.name()).map(ToString::to_string).unwrap_or_default();
            line(entry.name(), &about)
        });
        format!("\n{}:\n{}", group.title(), lines.collect::<String>())
    };
    Group::ALL.map(group).concat() + &line("help", "Print this message or the help of a command")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_once_and_says_what_it_does() {
        let command = command();
        let help = listed(&command);
        for entry in COMMANDS {
            let start = format!("\n  {} ", entry.name());
            assert_eq!(help.matches(&start).count(), 1, "{help}");
            assert!(command.find_subcommand(entry.name()).and_then(clap::Command::get_about).is_some());
        }
        assert!(COMMANDS.is_sorted_by_key(|entry| entry.name()));
        command.debug_assert();
    }

    #[test]
    fn a_line_that_cannot_be_read_may_still_ask_for_json() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(OsString::from));
        for line in ["scan --nothing --format json", "--format=json scan", "--format json"] {
            assert!(asks(line), "{line}");
        }
        for line in
            ["scan --nothing", "scan --format human --x", "scan json", "scan --format", "--format=sarif x"]
        {
            assert!(!asks(line), "{line}");
        }
    }

    #[test]
    fn the_formats_of_a_command_are_those_it_can_write() {
        let takes = |command, name| find(command).unwrap().takes(kiln_report::Format::find(name).unwrap());
        let all = ["cyclonedx", "github", "gitlab", "human", "json", "junit", "markdown", "openvex", "sarif"];
        for (command, refused) in [
            ("scan", &[][..]),
            ("ship", &["cyclonedx", "gitlab", "openvex"]),
            ("lint", &["cyclonedx", "openvex"]),
            ("plan", &["cyclonedx", "github", "gitlab", "junit", "markdown", "openvex", "sarif"]),
        ] {
            for format in all {
                assert_eq!(takes(command, format), !refused.contains(&format), "{command} {format}");
            }
        }
    }
}
