//! Stages: names, numbers, what needs what.

use kiln_dockerfile::{Reference, parse};

const FILE: &str = "ARG V=1
FROM node:24 AS Deps
RUN a
FROM deps AS build
COPY --from=other x /x
FROM alpine AS unused
FROM scratch AS other
FROM deps
COPY --from=BUILD /a /b
COPY --from=0 /a /b
COPY --from=nginx:1 /a /b
RUN --mount=type=bind,from=other,target=/x y
";

#[test]
fn names_and_numbers() {
    let file = parse(FILE);
    let stages = file.stages();
    assert_eq!(stages.globals.len(), 1);
    assert_eq!(stages.list.len(), 5);
    assert_eq!(stages.list[0].name.as_deref(), Some("deps"));
    assert_eq!(stages.resolve_from("DEPS", 1), Reference::Stage(0));
    assert_eq!(stages.resolve_from("other", 1), Reference::Image("other".to_owned()));
    assert_eq!(stages.resolve_from("scratch", 3), Reference::Scratch);
    assert_eq!(stages.resolve_copy("other"), Some(Reference::Stage(3)));
    assert_eq!(stages.resolve_copy("2"), Some(Reference::Stage(2)));
    assert_eq!(stages.resolve_copy("9"), None);
    assert_eq!(stages.resolve_copy("nginx"), Some(Reference::Image("nginx".to_owned())));
    assert_eq!(stages.target(Some("Build")), Some(1));
    assert_eq!(stages.target(Some("none")), None);
    assert_eq!(stages.target(None), Some(4));
}

#[test]
fn what_is_built() {
    let file = parse(FILE);
    let stages = file.stages();
    let as_written = |_| None;
    assert_eq!(stages.needs(4, &as_written), [0, 1, 3]);
    assert_eq!(stages.reachable(4, &as_written), [true, true, false, true, true]);
    assert_eq!(stages.reachable(1, &as_written), [true, true, false, true, false]);
    assert!(stages.cycles(&as_written).is_empty());
}

#[test]
fn circles_are_found() {
    let file = parse("FROM a AS a\nCOPY --from=b x y\nFROM a AS b\nFROM b AS c\nCOPY --from=c x y\n");
    let cycles = file.stages().cycles(&|_| None);
    assert_eq!(cycles, [vec![0, 1], vec![2]]);
}

#[test]
fn a_broken_from_is_a_stage_too() {
    let file = parse("FROM\nRUN a\nFROM b AS c\n");
    let stages = file.stages();
    assert_eq!(stages.list.len(), 2);
    assert!(stages.list.first().unwrap().from.is_none());
}
