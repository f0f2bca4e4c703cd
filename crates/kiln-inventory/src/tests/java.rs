//! Java archives, and archives inside of them.

use std::io::{Cursor, Write};

use kiln_pkg::{Ecosystem, Inventory};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{layer, names, stack};

const POM: &str = "META-INF/maven/org.a/a/pom.properties";
const MANIFEST: &str = "META-INF/MANIFEST.MF";

fn pom(group: &str, artifact: &str, version: &str) -> Vec<u8> {
    format!("#Created\ngroupId={group}\nartifactId={artifact}\nversion={version}\r\n").into_bytes()
}

fn zip(stored: bool, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    fill(&mut writer, stored, files);
    writer.finish().unwrap().into_inner()
}

/// With sizes after the content, as Java's own `jar` writes them.
fn streamed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new_stream(Vec::new());
    fill(&mut writer, false, files);
    writer.finish().unwrap().into_inner()
}

fn fill(writer: &mut ZipWriter<impl Write + std::io::Seek>, stored: bool, files: &[(&str, &[u8])]) {
    let method = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
}

fn with(path: &str, bytes: &[u8]) -> Inventory {
    stack(&[layer(|tree| tree.insert_file(path, 0o644, bytes).unwrap())])
}

#[test]
fn what_maven_wrote_counts_and_else_the_manifest_and_the_name() {
    let a = zip(
        false,
        &[(MANIFEST, b"Manifest-Version: 1.0\n"), (POM, &pom("org.a", "a", "1.0")), ("A.class", b"x")],
    );
    let found = with("app/lib/a-1.0.jar", &a);
    assert_eq!(names(&found, Ecosystem::Maven), ["org.a:a 1.0"]);
    assert_eq!(found.packages[0].key(), "pkg:maven/org.a/a@1.0");
    assert_eq!(found.packages[0].places[0].path, "app/lib/a-1.0.jar");
    assert_eq!(found.unread, []);

    let long = "Bundle-SymbolicName: com.example.na\r\n me;singleton:=true\r\nImplementation-Version: 9\r\n\r\nName: x\r\nImplementation-Version: 8\r\n";
    let bundle = zip(false, &[(MANIFEST, long.as_bytes())]);
    assert_eq!(names(&with("x/name.jar", &bundle), Ecosystem::Maven), ["com.example:name 9"]);
    // What the name says is what it was published as.
    assert_eq!(names(&with("x/name-1.2-beta.jar", &bundle), Ecosystem::Maven), ["com.example:name 1.2-beta"]);
    // A name of a file is no coordinate.
    let old = with("x/old-1.0.jar", &zip(false, &[]));
    assert_eq!(names(&old, Ecosystem::Maven), Vec::<String>::new());
    assert_eq!(
        old.unread[0].why.split(" (").next().unwrap(),
        "neither Maven nor a manifest says what old-1.0.jar is"
    );
}

#[test]
fn archives_inside_of_archives_are_read_however_they_are_packed() {
    let inner = streamed(&[(POM, &pom("org.a", "a", "1.0"))]);
    let other = zip(false, &[("META-INF/maven/org.b/b/pom.properties", &pom("org.b", "b", "2.0"))]);
    let files: &[(&str, &[u8])] = &[
        ("WEB-INF/", b""),
        ("WEB-INF/lib/a-1.0.jar", &inner),
        ("WEB-INF/lib/b.jar", &other),
        ("WEB-INF/lib/c-3.jar", &zip(true, &[("C.class", b"x")])),
    ];
    for packed in [zip(true, files), zip(false, files), streamed(files)] {
        let found = with("srv/shop-7.war", &packed);
        assert_eq!(names(&found, Ecosystem::Maven), ["org.a:a 1.0", "org.b:b 2.0"]);
        assert!(
            found.unread[0].why.starts_with("neither Maven nor a manifest says what c-3.jar and others is")
        );
    }
    let named = zip(false, &[(POM, &pom("org.apache.logging.log4j", "log4j-1.2-api", "2.19.0"))]);
    for path in ["x/log4j-1.2-api.jar", "x/log4j-1.2-api-2.19.0.jar", "x/log4j-1.2-api-debian.jar"] {
        let names = names(&with(path, &named), Ecosystem::Maven);
        assert_eq!(names, ["org.apache.logging.log4j:log4j-1.2-api 2.19.0"], "{path}");
    }
    // A library that carries another's classes is both.
    let shaded = zip(false, &[(POM, &pom("org.a", "a", "1.0"))]);
    assert_eq!(names(&with("x/fat-1.jar", &shaded), Ecosystem::Maven), ["org.a:a 1.0"]);
}

#[test]
fn what_is_broken_is_said_and_what_was_before_it_stays() {
    let whole =
        streamed(&[(POM, &pom("org.a", "a", "1.0")), ("A.class", &[7; 4000]), ("b.jar", b"no archive")]);
    let found = with("a.jar", &whole);
    assert_eq!(names(&found, Ecosystem::Maven), ["org.a:a 1.0"]);
    assert!(found.unread[0].why.starts_with("b.jar in it: it is no zip archive"), "{:?}", found.unread);
    for end in 0..whole.len() {
        let cut = whole.get(..end).unwrap();
        let found = with("a.jar", cut);
        assert!(!found.unread.is_empty(), "{end} bytes are called whole");
    }
    let mut nested = zip(true, &[("A.class", b"x")]);
    for _ in 0..5 {
        nested = zip(true, &[("inner.jar", &nested)]);
    }
    assert!(with("a.jar", &nested).unread[0].why.contains("lies deeper than 4 archives"));
}
