//! Licences of Debian packages, by their copyright files.

use kiln_rootfs::Tree;

use super::{DEBIAN, LIBC, ZLIB, layer, stack};

const FORMAL: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Zlib\n\nFiles: debian/*\nLicense: GPL-2+ or Expat\n\nLicense: Zlib\n text\n";
const FREE: &str = "It is licensed under the GNU LGPL, see\n/usr/share/common-licenses/LGPL-2.1. Parts: `/usr/share/common-licenses/GPL-2\'.\n";

fn licence(
    files: &[(&str, &str)],
    link: Option<(&str, &str)>,
    name: &str,
) -> Option<(String, Option<String>)> {
    let inventory = stack(&[layer(|tree: &mut Tree| {
        for (path, text) in files.iter().chain(&[DEBIAN, LIBC, ZLIB]) {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        if let Some((path, target)) = link {
            tree.insert_symlink(path, target).unwrap();
        }
    })]);
    let package = inventory.packages.into_iter().find(|package| package.name == name).unwrap();
    package.licence.map(|licence| (licence.declared, licence.spdx))
}

#[test]
fn formal_files_give_expressions_and_free_ones_names() {
    let zlib = licence(&[("usr/share/doc/zlib1g/copyright", FORMAL)], None, "zlib1g").unwrap();
    assert_eq!(
        zlib,
        ("GPL-2+ or Expat, Zlib".to_owned(), Some("(GPL-2.0-or-later OR MIT) AND Zlib".to_owned()))
    );
    let libc = licence(&[("usr/share/doc/libc6/copyright", FREE)], None, "libc6").unwrap();
    assert_eq!(libc, ("GPL-2, LGPL-2.1".to_owned(), None));
    let strange = FORMAL.replace("GPL-2+", "GPL-2+ with OpenSSL exception");
    let (_, spdx) = licence(&[("usr/share/doc/zlib1g/copyright", &strange)], None, "zlib1g").unwrap();
    assert_eq!(spdx, None);
    let link = Some(("usr/share/doc/libc6", "zlib1g"));
    let shared = licence(&[("usr/share/doc/zlib1g/copyright", FORMAL)], link, "libc6").unwrap();
    assert_eq!(shared.1.unwrap(), "(GPL-2.0-or-later OR MIT) AND Zlib");
    assert_eq!(licence(&[], None, "libc6"), None);
}
