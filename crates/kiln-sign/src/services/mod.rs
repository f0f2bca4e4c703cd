//! The services that a signature without a lasting key needs: what they are asked, and whether their answers fit.

pub(crate) mod authority;
pub(crate) mod log;
pub(crate) mod timestamps;
