//! The `kiln` binary: arguments, configuration, wiring, printing, exit codes; nothing else.

mod args;
mod base;
mod commands;
mod context;
mod failure;
mod output;
mod subject;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let context = match context::Context::new(args.global) {
        Ok(context) => context,
        Err(failure) => return output::report(&failure, args::Format::Human),
    };
    match args.command.run(&context) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => output::report(&failure, context.format),
    }
}
