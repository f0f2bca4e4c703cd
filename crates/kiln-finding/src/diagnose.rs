/// Whose turn it is after an error; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The command line asked for something that cannot be. Exit code 2.
    Usage,
    /// A file of the user's is wrong. Exit code 2.
    Config,
    /// The machine lacks something: permission, space, namespaces. Exit code 3.
    Environment,
    /// Another machine failed or lied. Exit code 3.
    Remote {
        /// Trying again may help.
        transient: bool,
    },
    /// Content is not what was promised: a digest, a signature, a malformed archive. Exit code 3.
    Content,
    /// Nothing failed: a rule of the user's says no. Exit code 1.
    Refused,
    /// A command of the user's ran and failed. Exit code 3.
    Command,
    /// kiln broke a promise of its own. Exit code 70.
    Bug,
}

/// What every error of every crate can say about itself beyond its message.
///
/// `Display` is what could not be done, beginning with its verb (`read kiln.toml`), or a whole sentence without a full stop (`the blob is
/// not in the store`); [`crate::sentence`] makes a sentence of both. It never repeats its source.
pub trait Diagnose: std::error::Error {
    /// Stable dotted name, `<crate>.<what>`, for JSON output and documentation.
    fn code(&self) -> &'static str;

    /// Whose turn it is.
    fn class(&self) -> Class;

    /// What the user can do, as an imperative sentence or a command; `None` where nothing helps.
    fn help(&self) -> Option<String> {
        None
    }
}
