use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kiln_finding::Failure;

use crate::outside::Outside;

/// What only a build that runs commands needs of this machine.
pub(crate) struct Given {
    /// What commands with network reach.
    pub(crate) outside: Outside,
    /// Secrets besides those of the options.
    pub(crate) secrets: BTreeMap<String, Vec<u8>>,
}

/// Finds it out.
pub(crate) type FindGiven<'a> = &'a (dyn Fn() -> Result<Given, Failure> + Sync);

/// The same, found out once, by the first command.
pub(super) struct GivenOnce<'a> {
    find: FindGiven<'a>,
    found: Mutex<Option<Arc<Given>>>,
}

impl<'a> GivenOnce<'a> {
    pub(super) fn new(find: FindGiven<'a>) -> Self {
        Self { find, found: Mutex::default() }
    }

    pub(super) fn get(&self) -> Result<Arc<Given>, Failure> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(given) = &*found {
            return Ok(given.clone());
        }
        let given = Arc::new((self.find)()?);
        *found = Some(given.clone());
        Ok(given)
    }
}
