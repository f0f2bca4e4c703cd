//! Which advisories a command uses, and what they are made from.

mod documents;

use std::path::PathBuf;

pub(crate) use documents::{Document, Documents};
use kiln_finding::Failure;
use kiln_proof::advisories::{self, Opened};
use kiln_vuln::MaxAge;

use crate::context::Context;

/// Which advisories are used.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Choice {
    /// Use this advisory database in place of the newest that is here
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Fail if the advisories are older than this; feeds may have their own (30,npm=7)
    #[arg(long, value_name = "DAYS")]
    db_max_age: Option<MaxAge>,
}

impl Choice {
    /// Opens the database named on the command line, else the newest of this machine.
    pub(crate) fn open(&self, context: &Context) -> Result<Opened, Failure> {
        advisories::open(&context.machine, self.db.as_deref(), self.db_max_age.as_ref())
    }
}
