//! Downloads that are checked, resumed and kept, and the places this machine already downloads from.
//!
//! A file is named by its checksum and lands in a cache only when it has it. No host is named here: where to
//! download from is read from the configuration of the machine's own clients (apt, npm). This crate does not
//! judge signatures; who wants bytes says which bytes.
//! Start from [`Downloader`] and [`Machine`]; services that are asked rather than downloaded from, by [`Exchange`]; who speaks HTTP
//! with rules of its own, from [`http`].

mod agent;
mod body;
mod cache;
mod changing;
mod client;
mod closed;
mod credentials;
mod document;
mod download;
pub mod endpoints;
mod error;
mod exchange;
mod found;
pub mod http;
mod network;
mod options;
mod pace;
mod progress;
mod redacted;
mod redirect;
mod retry;
mod socket;
mod tls;
mod url;
mod watched;

pub use closed::Closed;
pub use credentials::Credentials;
pub use download::{Downloader, Want};
pub use endpoints::Machine;
pub use error::Error;
pub use exchange::{Exchange, ExchangeOptions, Question, Reply};
pub use options::Options;
pub use progress::{OnProgress, Progress};
pub use redacted::Redacted;
pub use retry::Retry;
pub use url::{Url, join, shown};
