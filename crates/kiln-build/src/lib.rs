//! From a plan or a Dockerfile to the layers and the configuration of an image.
//!
//! Both are lowered to the graph of one [`engine`]: [`app::lower`] knows what an app needs, [`dockerfile::lower`] what
//! instructions mean. The engine decides what must run, and under which key. Steps run behind the port [`engine::Executor`],
//! facts are kept behind the port [`engine::Cache`]; nothing here touches a disk or a clock. Equal inputs yield equal images.

pub mod app;
mod content;
pub mod dockerfile;
pub mod engine;
mod error;
mod key;

pub use error::Error;
pub use key::{Key, tree_digest};
