use kiln_policy::Scorecard;

/// One format: a static in a file of its own, listed in [`crate::FORMATS`].
#[derive(Debug)]
pub struct Format {
    /// As `--format` knows it.
    pub name: &'static str,
    /// Usual end of a file's name.
    pub extension: &'static str,
    /// The whole text, with a line end.
    pub render: fn(&Scorecard, Options) -> String,
}

/// What a format may ask of the place it is shown in.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100 }
    }
}
