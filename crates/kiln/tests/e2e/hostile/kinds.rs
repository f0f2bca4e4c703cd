//! What a layer or an archive may hold that no honest one does, or that leads somewhere else.

use super::tar::{Entry, dir, entry, file, hardlink, symlink};

/// Entries below `at`, which is empty or ends with a slash; `out` is a folder of the machine without its first slash.
pub(super) fn kinds(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    [links(at, out), hard_links(at, out), marks(at, out), names(at, out), shapes(at, out)].concat()
}

/// As many steps up as no folder is deep.
const UP: &str = "../../../../../../../../../../../../";

fn links(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    let a = format!("{at}a");
    let below = |name: &str| format!("{at}a/{name}");
    vec![
        ("file below a link", vec![symlink(&*a, format!("/{out}")), file(below("new"))]),
        ("file over a file below a link", vec![symlink(&*a, format!("/{out}")), file(below("secret"))]),
        ("folder below a link", vec![symlink(&*a, format!("/{out}")), dir(below("newdir"))]),
        (
            "folder over a folder below a link",
            vec![symlink(&*a, format!("/{out}")), dir(below("folder")).mode(0o777)],
        ),
        ("file below a link that climbs", vec![symlink(&*a, format!("{UP}{out}")), file(below("new"))]),
        ("link below a link", vec![symlink(&*a, format!("/{out}")), symlink(below("new"), "x")]),
        ("file over a link", vec![symlink(&*a, format!("/{out}/secret")), file(&*a)]),
        (
            "file through two links",
            vec![symlink(&*a, "b"), symlink(format!("{at}b"), format!("/{out}")), file(below("new"))],
        ),
        (
            "link to a link to a secret",
            vec![symlink(&*a, "b"), symlink(format!("{at}b"), format!("/{out}/secret"))],
        ),
        ("links in a circle", vec![symlink(&*a, "b"), symlink(format!("{at}b"), "a"), file(below("new"))]),
        (
            "link, folder, link",
            vec![
                symlink(&*a, format!("/{out}")),
                dir(&*a),
                file(below("new")),
                symlink(&*a, format!("/{out}")),
            ],
        ),
        ("folder, link, file below", vec![dir(&*a), symlink(&*a, format!("/{out}")), file(below("new"))]),
        (
            "link with attributes",
            vec![
                symlink(&*a, format!("/{out}/secret"))
                    .mode(0o6777)
                    .pax("SCHILY.xattr.user.mark", "x")
                    .pax("uid", "7"),
            ],
        ),
        ("link to the machine's processes", vec![symlink(&*a, "/proc/1/root"), file(below("new"))]),
        ("link to an open file", vec![symlink(&*a, "/proc/self/fd/3"), file(below("new"))]),
    ]
}

fn hard_links(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    let (a, x) = (format!("{at}a"), format!("{at}x"));
    vec![
        (
            "hard link through a link",
            vec![symlink(&*a, format!("/{out}")), hardlink(&*x, format!("{a}/secret"))],
        ),
        (
            "hard link through a link that climbs",
            vec![symlink(&*a, format!("{UP}{out}")), hardlink(&*x, format!("{a}/secret"))],
        ),
        (
            "hard link before the link it goes through",
            vec![hardlink(&*x, format!("{a}/secret")), symlink(&*a, format!("/{out}"))],
        ),
        ("hard link to an absolute name", vec![hardlink(&*x, format!("/{out}/secret"))]),
        ("hard link that climbs", vec![hardlink(&*x, format!("{UP}{out}/secret"))]),
        ("hard link to a link", vec![symlink(&*a, format!("/{out}/secret")), hardlink(&*x, &*a)]),
        (
            "hard link to a file that becomes a link",
            vec![file(&*a), hardlink(&*x, &*a), symlink(&*a, format!("/{out}/secret"))],
        ),
        ("hard link to itself", vec![hardlink(&*x, &*x)]),
        ("hard links in a circle", vec![hardlink(&*x, &*a), hardlink(&*a, &*x)]),
        ("hard link to a folder", vec![dir(&*a), hardlink(&*x, &*a)]),
        ("hard link to nothing", vec![hardlink(&*x, format!("{at}missing"))]),
        ("hard link to the root", vec![hardlink(&*x, "/")]),
        ("hard link to a device of the machine", vec![hardlink(&*x, "dev/null")]),
        ("hard link to a file of a lower layer", vec![hardlink(&*x, "etc/debian_version")]),
        (
            "hard link to a lower file, marked as removed",
            vec![file("etc/.wh.debian_version"), hardlink(&*x, "etc/debian_version")],
        ),
        (
            "hard link with a long PAX target",
            vec![entry(b'1', &*x).pax("linkpath", format!("{UP}{out}/secret"))],
        ),
        (
            "hard link over an existing file",
            vec![file(&*x), symlink(&*a, format!("/{out}")), hardlink(&*x, format!("{a}/secret"))],
        ),
    ]
}

fn marks(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    let a = format!("{at}a");
    let link = symlink(&*a, format!("/{out}"));
    vec![
        ("removal below a link", vec![link.clone(), file(format!("{a}/.wh.name"))]),
        ("removal of a secret below a link", vec![link.clone(), file(format!("{a}/.wh.secret"))]),
        ("removal of a folder below a link", vec![link.clone(), file(format!("{a}/.wh.folder"))]),
        ("removal before the link", vec![file(format!("{a}/.wh.secret")), link.clone()]),
        ("opaque folder below a link", vec![link.clone(), file(format!("{a}/newdir/.wh..wh..opq"))]),
        ("opaque link", vec![link.clone(), file(format!("{a}/.wh..wh..opq"))]),
        ("opaque file", vec![file(&*a), file(format!("{a}/.wh..wh..opq"))]),
        ("removal below a file", vec![file(&*a), file(format!("{a}/.wh.name"))]),
        ("removal of nothing", vec![file(format!("{at}.wh."))]),
        ("removal of what is above", vec![file(format!("{at}.wh..."))]),
        ("removal of here", vec![file(format!("{at}.wh.."))]),
        ("removal and its place", vec![file(format!("{at}.wh.a")), link, file(format!("{at}b"))]),
        ("opaque root", vec![file(".wh..wh..opq"), file(format!("{at}b"))]),
        (
            "notes of aufs",
            vec![
                dir(format!("{at}.wh..wh.plnk")),
                file(format!("{at}.wh..wh.plnk/1.2")),
                file(format!("{at}.wh..wh.aufs")),
            ],
        ),
        ("a mark that is a folder", vec![dir(format!("{at}.wh.a")), file(format!("{at}.wh.a/b"))]),
        ("a mark that is a link", vec![symlink(format!("{at}.wh.a"), format!("/{out}"))]),
        ("a device as an overlay marks a removal", vec![entry(b'3', format!("{at}gone"))]),
    ]
}

fn names(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    let part = "n".repeat(200);
    vec![
        ("absolute name", vec![file(format!("/{out}/new"))]),
        ("name that climbs", vec![file(format!("{at}{UP}{out}/new"))]),
        ("name that climbs in the middle", vec![file(format!("{at}b/../../../{UP}{out}/new"))]),
        ("folder that climbs", vec![dir(format!("{at}..")).mode(0o777)]),
        ("empty name", vec![file("")]),
        ("name of slashes", vec![dir("///"), file("//./b")]),
        ("name of dots", vec![file(format!("{at}./././b")), dir(".").mode(0)]),
        ("name of 4 KB", vec![file(format!("{at}{}", [&*part; 20].join("/")))]),
        ("name over 4 KB", vec![file(format!("{at}{}", [&*part; 30].join("/")))]),
        ("part of 300 bytes", vec![file(format!("{at}{}", "p".repeat(300)))]),
        ("PAX name", vec![file(format!("{at}b")).pax("path", format!("/{out}/new"))]),
        ("PAX name that climbs", vec![file(format!("{at}b")).pax("path", format!("{UP}{out}/new"))]),
        ("PAX name with a zero byte", vec![file(format!("{at}b")).pax("path", b"b\0c".to_vec())]),
        ("GNU long name", vec![entry(b'L', "././@LongLink").body(format!("{UP}{out}/new\0")), file("b")]),
        (
            "GNU long link",
            vec![
                entry(b'K', "././@LongLink").body(format!("/{out}/secret\0")),
                hardlink(format!("{at}x"), "b"),
            ],
        ),
        (
            "names that differ by Unicode form",
            vec![file(format!("{at}caf\u{e9}")), file(format!("{at}cafe\u{301}"))],
        ),
        ("name that is no UTF-8", vec![file([at.as_bytes(), b"\xff\xfe"].concat())]),
        ("name with orders for terminals", vec![file(format!("{at}\x1b[2J\x07\nb"))]),
        ("name as an option", vec![file(format!("{at}-rf")), file(format!("{at}--help"))]),
        (
            "the same name three times",
            vec![file(format!("{at}b")), dir(format!("{at}b")), file(format!("{at}b"))],
        ),
    ]
}

fn shapes(at: &str, out: &str) -> Vec<(&'static str, Vec<Entry>)> {
    let a = format!("{at}a");
    let capability = b"\x01\0\0\x02\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    vec![
        ("character device", vec![entry(b'3', &*a)]),
        ("block device", vec![entry(b'4', &*a)]),
        ("pipe", vec![entry(b'6', &*a)]),
        ("unknown kind", vec![entry(b'Z', &*a)]),
        ("contiguous file", vec![entry(b'7', &*a).body("x")]),
        ("setuid and setgid", vec![file(&*a).mode(0o6777)]),
        ("file that nobody may read", vec![file(&*a).mode(0)]),
        ("folder that nobody may enter", vec![dir(&*a).mode(0), file(format!("{a}/b"))]),
        ("capabilities", vec![file(&*a).pax("SCHILY.xattr.security.capability", capability)]),
        (
            "attributes of overlays",
            vec![
                dir(&*a)
                    .pax("SCHILY.xattr.user.overlay.redirect", format!("/{out}"))
                    .pax("SCHILY.xattr.trusted.overlay.redirect", format!("/{out}"))
                    .pax("SCHILY.xattr.user.overlay.opaque", "y")
                    .pax("SCHILY.xattr.trusted.overlay.opaque", "y"),
                file(format!("{a}/b"))
                    .pax("SCHILY.xattr.user.overlay.metacopy", "")
                    .pax("SCHILY.xattr.user.overlay.redirect", format!("/{out}/secret")),
            ],
        ),
        ("notes of kiln's", vec![file(&*a).pax("SCHILY.xattr.user.kiln.owner", "0:0")]),
        (
            "folder, file, folder",
            vec![dir(&*a), file(format!("{a}/b")), file(&*a), dir(&*a), file(format!("{a}/c"))],
        ),
        ("300 levels", vec![file(format!("{at}{}", ["d"; 300].join("/")))]),
        ("sparse file of GNU", vec![entry(b'S', &*a)]),
        (
            "sparse file of PAX",
            vec![file(&*a).pax("GNU.sparse.major", "1").pax("GNU.sparse.name", format!("/{out}/new"))],
        ),
        ("time before 1970", vec![file(&*a).mtime(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")]),
        ("time that is no number", vec![file(&*a).mtime(b"not a time")]),
        ("more bytes promised than there are", vec![file(&*a).pax("size", "99999999")]),
        ("more bytes than a number holds", vec![file(&*a).pax("size", "99999999999999999999")]),
        ("owner beyond all ids", vec![file(&*a).pax("uid", "4294967294").pax("gid", "4294967295")]),
        ("root as a file", vec![file("./")]),
        ("root as a link", vec![symlink("./", format!("/{out}"))]),
        ("account file as a link", vec![symlink("etc/passwd", format!("/{out}/secret"))]),
        ("resolver as a link", vec![symlink("etc/resolv.conf", format!("/{out}/secret"))]),
        (
            "folders of the sandbox as links",
            vec![
                symlink("proc", format!("/{out}")),
                symlink("dev", format!("/{out}")),
                symlink("tmp", format!("/{out}")),
            ],
        ),
    ]
}
