//! From a plan and a source tree to the layers and the configuration of an image.
//!
//! Decides what must run, under which cache key, and how results are cut into layers: dependencies below, the app
//! on top. Commands run behind the port [`Runner`], layers and results are kept behind the port [`Keep`]; nothing
//! here touches a disk or a clock. Equal inputs yield equal images. Start from [`build`].

mod assemble;
mod build;
pub mod dockerfile;
mod error;
mod key;
mod port;
mod split;

pub use assemble::{Assembled, BaseImage, Facts, assemble};
pub use build::{Built, Input, StageOutcome, build};
pub use error::Error;
pub use key::{Key, tree_digest};
pub use port::{Keep, Run, Runner};
