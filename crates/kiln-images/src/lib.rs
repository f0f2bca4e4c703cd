//! Places and names of images: how an image is found that a user names, what can be read from where it lies, and how it is
//! brought elsewhere.
//!
//! Start from [`Machine`], which says where kiln keeps things and how registries are reached; [`Located::find`] finds what a
//! name stands for, [`NamedImage::open`] opens the image for one platform, and [`deliver`] brings it to a [`CopyTarget`].

mod archive;
pub mod clock;
mod copy_target;
mod delivery;
mod destination;
mod find;
mod forced;
mod located;
mod logins;
mod machine;
mod named_image;
mod place;
mod place_name;
mod platform;
mod reference;
mod tags;

pub use archive::{daemon, daemon_name};
pub use copy_target::CopyTarget;
pub use delivery::{Along, Arrived, MakeIndex, deliver};
pub use destination::Destination;
pub use find::{Prefer, meant};
pub use forced::unforced;
pub use kiln_registry::RegistrySettings;
pub use located::Located;
pub use logins::known_logins;
pub use machine::Machine;
pub use named_image::NamedImage;
pub use place::Place;
pub use place_name::{place_name, place_pattern};
pub use platform::{for_arch, for_here, for_platform, images_of, index_of, listed_images};
pub use reference::read_reference;
pub use tags::{Tags, beside, bring_tags, present};
