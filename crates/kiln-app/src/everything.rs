use kiln_rootfs::Tree;

use crate::{Folder, Missed, Rules, walk};

impl Folder {
    /// All that lies in it, and what could not be read. Folders of the names `closed` are listed and not entered.
    pub fn everything(&self, closed: &'static [&'static str]) -> (Tree, Vec<Missed>) {
        walk::read(self.dir(), &Rules::Everything(closed))
    }
}
