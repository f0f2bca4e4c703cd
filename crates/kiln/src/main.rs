//! The `kiln` binary: arguments, configuration, wiring, printing, exit codes; nothing else.

mod archive;
mod args;
mod attached;
mod authority;
mod base;
mod build;
mod clock;
mod commands;
mod config;
mod context;
mod database;
mod destination;
mod diff;
mod dockerfile;
mod dockerfile_project;
mod failure;
mod findings;
mod folder;
mod legacy;
mod lint;
mod output;
mod outside;
mod place;
mod platform;
mod port_error;
mod progress;
mod project;
mod prove;
mod registry;
mod scratch;
mod ship;
mod signing;
mod statements;
mod subject;
mod target;
mod transfer;
mod trust;
mod vex;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // This program is also the sandbox's first process; then nothing else may have happened yet.
    if let Some(code) = kiln_sandbox::enter() {
        return code;
    }
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
