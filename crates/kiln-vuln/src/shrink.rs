use crate::SliceInfo;

/// A slice may lose this many of a hundred advisories from one database to the next; more is taken for a broken feed.
pub const MAX_SHRINK_PERCENT: u64 = 10;

/// A slice that lost more than feeds lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// Its name.
    pub slice: String,
    /// How many advisories it had.
    pub before: u64,
    /// How many it has now; `None` where the slice is gone.
    pub now: Option<u64>,
}

/// The slices of `old` that `new` lacks or has far less of. In the order of `old`.
pub fn shrunk(old: &[SliceInfo], new: &[SliceInfo]) -> Vec<Shrunk> {
    let shrunk = |before: &SliceInfo| {
        let now = new.iter().find(|slice| slice.name == before.name).map(|slice| slice.advisories);
        let least = before.advisories - before.advisories.saturating_mul(MAX_SHRINK_PERCENT) / 100;
        let is_fine = now.is_some_and(|now| now >= least) || before.advisories == 0;
        (!is_fine).then(|| Shrunk { slice: before.name.clone(), before: before.advisories, now })
    };
    old.iter().filter_map(shrunk).collect()
}
