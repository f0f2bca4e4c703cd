//! Rules over Dockerfiles and the Node projects around them, and the fixer.
//!
//! Nothing here looks at files, runs anything or knows the day: the shell collects a [`Context`], and [`LintSettings`] hold
//! the day. Rules never fail; where something is not known, they are silent. Start from [`lint`] and [`fix`].

mod context;
mod edits;
pub mod facts;
mod fixer;
mod linter;
pub mod model;
mod pragma;
mod project;
mod report;
mod rule;
mod rules;
mod settings;
pub mod shell;
mod subject;

pub use context::Context;
pub use fixer::{Applied, Fixed, fix};
pub use linter::{Linted, lint};
pub use report::{Edit, Finding, Fix, Level, Repair, Sink};
pub use rule::{Asked, Rule};
pub use rules::RULES;
pub use settings::{LintSettings, Profile};
pub use subject::LintSubject;
