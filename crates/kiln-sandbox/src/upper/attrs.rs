//! Owner, permissions and extended attributes, both ways.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;

use kiln_disk::{Dir, Meta};
use kiln_rootfs::Attrs;
use rustix::fs::{XattrFlags, fchown, fsetxattr};

use super::{NOTED, OPAQUE, OURS, OWNER};
use crate::{Ids, User, capability};

/// What an owner inside is outside; `None` where owners are but noted.
pub(super) fn outside(ids: Ids, uid: u32, gid: u32) -> io::Result<Option<(u32, u32)>> {
    let Ids::Many { first, count } = ids else { return Ok(None) };
    if uid.max(gid) >= count {
        return Err(io::Error::other(format!("its owner {uid}:{gid} is not among the {count} ids here")));
    }
    Ok(Some((first + uid, first + gid)))
}

/// Sets the attributes of a file or folder.
pub(super) fn set(file: &File, attrs: &Attrs, ids: Ids) -> io::Result<()> {
    match outside(ids, attrs.uid, attrs.gid)? {
        Some((uid, gid)) => {
            fchown(file, Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)))?;
        }
        None => put(file, OWNER, format!("{}:{}", attrs.uid, attrs.gid).as_bytes())?,
    }
    for (name, value) in attrs.xattrs.iter().filter(|(name, _)| !is_ours(name)) {
        match ids {
            Ids::Many { first, .. } if name == capability::NAME => {
                put(file, name, &capability::for_namespace(value, first))?;
            }
            Ids::One if !name.starts_with("user.") => put(file, &format!("{NOTED}{name}"), value)?,
            _ => put(file, name, value)?,
        }
    }
    file.set_permissions(Permissions::from_mode(attrs.mode))
}

/// What overlays and kiln itself read as orders; in a layer, it is none.
fn is_ours(name: &str) -> bool {
    ["user.overlay.", "trusted.overlay.", OURS].iter().any(|ours| name.starts_with(ours))
}

pub(super) fn put(file: &File, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(fsetxattr(file, name, value, XattrFlags::empty())?)
}

/// The attributes of a name of a folder. `user` owns what has no other owner.
pub(super) fn get(folder: &Dir, name: &OsStr, meta: &Meta, ids: Ids, user: &User) -> io::Result<Attrs> {
    let mode = if meta.is_symlink() { 0o777 } else { meta.mode() };
    let mut attrs = Attrs { uid: user.uid, gid: user.gid, ..Attrs::root(mode) };
    if let Ids::Many { first, .. } = ids {
        let (uid, gid) = meta.owner();
        (attrs.uid, attrs.gid) = (uid.saturating_sub(first), gid.saturating_sub(first));
    }
    if meta.is_symlink() {
        return Ok(attrs);
    }
    for (name, value) in folder.attributes_here(name)? {
        if name.starts_with(OURS) {
            // Where owners are real, a note is nobody's but the command's.
            match (ids, name.strip_prefix(NOTED)) {
                (Ids::One, Some(name)) => drop(attrs.xattrs.insert(name.to_owned(), value)),
                (Ids::One, None) if name == OWNER => {
                    (attrs.uid, attrs.gid) = parse_owner(&value).unwrap_or((attrs.uid, attrs.gid));
                }
                _ => {}
            }
        } else if name == capability::NAME {
            attrs.xattrs.insert(name, capability::for_layer(&value));
        } else if name.starts_with("user.") && !name.starts_with("user.overlay.") || name == OPAQUE {
            attrs.xattrs.insert(name, value);
        }
    }
    Ok(attrs)
}

pub(crate) fn parse_owner(value: &[u8]) -> Option<(u32, u32)> {
    let (uid, gid) = std::str::from_utf8(value).ok()?.split_once(':')?;
    Some((uid.parse().ok()?, gid.parse().ok()?))
}
