//! Users and groups by name, as `/etc/passwd` and `/etc/group` of an image tell.

use super::port::UserIds;
use crate::Error;
use crate::error::ErrorKind;

/// What an image says of its users.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    /// `/etc/passwd`, where there is one.
    pub(super) passwd: Option<String>,
    /// `/etc/group`, where there is one.
    pub(super) group: Option<String>,
}

/// A line of `/etc/passwd`.
struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl Accounts {
    fn users(&self) -> impl Iterator<Item = User<'_>> {
        self.passwd.as_deref().unwrap_or_default().lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let home = fields.nth(1).unwrap_or_default();
            Some(User { name, uid: uid.parse().ok()?, gid: gid.parse().ok()?, home })
        })
    }

    /// Name, number and members of each group.
    fn groups(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.group.as_deref().unwrap_or_default().lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
            Some((name, gid.parse().ok()?, fields.next().unwrap_or_default()))
        })
    }

    fn user(&self, text: &str) -> Result<User<'_>, Error> {
        let number: Option<u32> = text.parse().ok();
        if let Some(user) = self.users().find(|user| user.name == text || Some(user.uid) == number) {
            return Ok(user);
        }
        match number {
            Some(uid) => Ok(User { name: "", uid, gid: 0, home: "/" }),
            None if text == "root" => Ok(User { name: "root", uid: 0, gid: 0, home: "/root" }),
            None => {
                Err(ErrorKind::NoUser { what: "user", name: text.to_owned(), file: "/etc/passwd" }.into())
            }
        }
    }

    fn group(&self, text: &str) -> Result<u32, Error> {
        if let Some((_, gid, _)) = self.groups().find(|(name, ..)| *name == text) {
            return Ok(gid);
        }
        match text.parse() {
            Ok(gid) => Ok(gid),
            Err(_) if text == "root" => Ok(0),
            Err(_) => {
                Err(ErrorKind::NoUser { what: "group", name: text.to_owned(), file: "/etc/group" }.into())
            }
        }
    }

    /// Who `USER` means for commands. Source: runc, `user.GetExecUser`.
    pub(super) fn run_as(&self, text: &str) -> Result<UserIds, Error> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = self.user(if user.is_empty() { "root" } else { user })?;
        let gid = match group {
            Some(group) => self.group(group)?,
            None => user.gid,
        };
        let is_member =
            |members: &str| !user.name.is_empty() && members.split(',').any(|name| name == user.name);
        let groups = match group {
            Some(_) => Vec::new(),
            None => self.groups().filter(|(.., members)| is_member(members)).map(|(_, gid, _)| gid).collect(),
        };
        let home = if user.home.is_empty() { "/" } else { user.home };
        Ok(UserIds { uid: user.uid, gid, groups, home: home.to_owned() })
    }

    /// Owner of a folder that `WORKDIR` makes: a user by name brings its group, one by number is its own group.
    pub(super) fn dir_owner(&self, text: &str) -> Result<(u32, u32), Error> {
        let ids = match text.split_once(':') {
            None => match text.parse() {
                Ok(uid) => return Ok((uid, uid)),
                Err(_) => self.run_as(text)?,
            },
            Some(_) => self.run_as(text)?,
        };
        Ok((ids.uid, ids.gid))
    }

    /// Owner that `--chown` means: without a group, the group has the user's name or number.
    pub(super) fn owner(&self, text: &str) -> Result<(u32, u32), Error> {
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let id = |text: &str, named: &dyn Fn(&str) -> Result<u32, Error>| match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => named(text),
        };
        Ok((id(user, &|name| Ok(self.user(name)?.uid))?, id(group, &|name| self.group(name))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            passwd: Some(
                "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\nbroken\n".to_owned(),
            ),
            group: Some("root:x:0:\nnode:x:1000:\nstaff:x:50:other,node\n".to_owned()),
        }
    }

    #[test]
    fn commands_run_as_the_image_says() {
        let ids = |text| accounts().run_as(text).unwrap();
        assert_eq!(
            ids("node"),
            UserIds { uid: 1000, gid: 1001, groups: vec![50], home: "/home/node".to_owned() }
        );
        assert_eq!(ids("1000"), ids("node"));
        assert_eq!((ids("node:staff").gid, ids("node:staff").groups), (50, vec![]));
        assert_eq!((ids("7").uid, ids("7").gid, ids("7").home.as_str()), (7, 0, "/"));
        assert_eq!(ids("").home, "/root");
        assert!(accounts().run_as("nobody").unwrap_err().to_string().contains("nobody"));
        assert_eq!(Accounts::default().run_as("root").unwrap().uid, 0);
    }

    #[test]
    fn owners_take_the_group_of_their_name() {
        let owner = |text| accounts().owner(text).unwrap();
        assert_eq!(
            (owner("node"), owner("1"), owner("node:staff"), owner("5:6")),
            ((1000, 1000), (1, 1), (1000, 50), (5, 6))
        );
        assert!(accounts().owner("x").is_err() && accounts().owner("1:x").is_err());
    }
}
