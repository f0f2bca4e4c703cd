//! The `kiln` binary: arguments, configuration, wiring, printing, exit codes; nothing else.

mod app_options;
mod args;
mod authority;
mod build_options;
mod command;
mod commands;
mod config;
mod context;
mod database;
mod diff;
mod dockerfile_options;
mod doctor;
mod explained;
mod folders;
mod global;
mod lint;
mod output;
mod outputs;
mod progress;
mod prove;
mod pruning;
mod refusal;
mod signing;
mod target;
mod transfer;
mod vex;
mod welcome;

use std::process::ExitCode;

fn main() -> ExitCode {
    // This program is also the sandbox's first process; then nothing else may have happened yet.
    if let Some(code) = kiln_sandbox::enter() {
        return code;
    }
    if let Some(code) = kiln_program::enter() {
        return code;
    }
    if welcome::is_wanted() {
        return match welcome::show() {
            Ok(()) => output::Outcome::Fine.exit_code(),
            Err(failure) => output::report(&failure, global::Format::Human),
        };
    }
    let args = match args::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let format = global::Format::of(args.global.format);
    let code = match run(args) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => output::report(&failure, format),
    };
    match output::unwritten() {
        None => code,
        // Whoever asked for JSON cannot be given any.
        Some(failure) => output::report(&failure, global::Format::Human),
    }
}

fn run(args: args::Args) -> Result<output::Outcome, kiln_finding::Failure> {
    let context = context::Context::new(args.global, args.command.project())?;
    args.command.prepare()?;
    let context = if args.command.uses_folders() { context.in_use()? } else { context };
    let outcome = args.command.run(&context);
    if let Some(trouble) = kiln_store::StepCache::trouble().filter(|_| !context.quiet) {
        output::trouble(trouble);
    }
    outcome
}
