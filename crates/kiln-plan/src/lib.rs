//! From the facts of an app to a plan: what installs it, what builds it, what starts it, what is shipped, and why.
//!
//! Pure: facts are collected by the caller, the plan is carried out by the caller. Each decision has a [`Reason`].
//! [`dockerfile`] renders the plan as the multi-stage Dockerfile that does the same.
//! Start from [`AppFacts`](kiln_node::AppFacts) and [`plan`].

mod berry;
mod bun;
mod bundled;
mod dockerfile;
mod error;
mod health;
mod install;
mod install_scripts;
mod lifecycle;
mod node_line;
mod overrides;
mod plan;
mod planner;
mod reason;
mod ship;
mod start;

pub use bundled::bundled;
pub use dockerfile::{dockerfile, dockerignore};
pub use error::Error;
pub use health::{find_health, find_port, health_command};
pub use node_line::node_line;
pub use overrides::{HealthSetting, Overrides};
pub use plan::{Health, LockedPlace, Plan, Step};
pub use planner::plan;
pub use reason::Reason;
pub use ship::{LeftOut, SHIP_CODE, Shipping, is_install_leftover, is_module_file_shipped, shortly};
pub use start::{Aside, AsideKind, Start, default_start, script_start};
