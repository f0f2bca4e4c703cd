/// Why statements do not meet what is asked of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// For people.
    pub(crate) why: String,
    /// They say nothing against it, and do not know enough to say it.
    pub(crate) is_open: bool,
}

impl Reason {
    /// They say something else.
    pub(crate) fn fact(why: String) -> Self {
        Self { why, is_open: false }
    }

    /// They leave it open.
    pub(crate) fn open(why: String) -> Self {
        Self { why, is_open: true }
    }
}
