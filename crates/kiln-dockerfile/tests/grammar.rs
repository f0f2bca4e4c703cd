//! The grammar, paragraph by paragraph: what is accepted and what comes out, what is refused and where.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use kiln_dockerfile::{
    Command, Dockerfile, Form, Healthcheck, Instruction, MountKind, RunInput, Source, parse,
};

fn file(text: &str) -> Dockerfile {
    let file = parse(text);
    let errors: Vec<_> = file.problems.iter().filter(|problem| problem.is_error()).collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    file
}

/// One instruction in a stage.
fn one(text: &str) -> Instruction {
    file(&format!("FROM scratch\n{text}")).instructions.into_iter().nth(1).unwrap()
}

/// The problems of one instruction in a stage: code, and the text it points at.
fn problems(text: &str) -> Vec<(String, String)> {
    let file = parse(&format!("FROM scratch\n{text}"));
    let text_of = |span| file.text_of(span).to_owned();
    file.problems.iter().map(|problem| (problem.code.to_owned(), text_of(problem.span))).collect()
}

#[track_caller]
fn refused(text: &str, code: &str, place: &str) {
    assert_eq!(problems(text), [(code.to_owned(), place.to_owned())], "{text}");
}

fn words(form: &Form) -> Vec<&str> {
    form.exec().unwrap_or_else(|| panic!("{form:?} is no exec form"))
}

#[test]
fn lines_are_joined() {
    let run = one("RUN a \\\n  # why\n  b\\\n\\\nc \\  \n d");
    assert_eq!(run.original, "RUN a   bc  d");
    assert_eq!(run.line, 2);
    let file = file("\u{feff}FROM a\\\\\nRUN  x\r\n\r\n   RUN y \\\r\n z\r\n");
    let originals: Vec<_> = file.instructions.iter().map(|run| run.original.as_str()).collect();
    assert_eq!(originals, ["FROM a\\\\", "RUN  x", "RUN y  z"]);
    assert_eq!(file.instructions.iter().map(|run| run.line).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn values_know_their_place_across_lines() {
    let file = file("FROM a\nENV A=1 \\\n    # comment\n    B=\"two \\\n  words\"\n");
    let Command::Env(env) = &file.instructions[1].command else { panic!() };
    assert_eq!(env.pairs[1].0.value, "B");
    assert_eq!(file.text_of(env.pairs[1].0.span), "B");
    assert_eq!(env.pairs[1].1.value, "\"two   words\"");
    assert_eq!(file.text_of(env.pairs[1].1.span), "\"two \\\n  words\"");
}

#[test]
fn empty_lines_inside_are_warned_of() {
    let file = file("FROM a\nRUN x \\\n\n  y\n");
    assert_eq!(file.problems.len(), 1);
    assert_eq!(file.problems[0].code, "empty-continuation");
    assert_eq!(file.instructions[1].original, "RUN x   y");
}

#[test]
fn comments_belong_to_what_follows() {
    let file = file("# a\n\n# b\n#  c  \nFROM x\nRUN y\n# end");
    let above: Vec<_> = file.instructions[0].comments.iter().map(|text| text.value.as_str()).collect();
    assert_eq!(above, ["b", "c"]);
    assert!(file.instructions[1].comments.is_empty());
    assert_eq!(file.comments.len(), 4);
    assert_eq!(file.text_of(file.comments[2].text.span), "c");
}

#[test]
fn directives_stand_at_the_top() {
    let top = file("# syntax=docker/dockerfile:1\n#escape = `\n# check=skip=all\nFROM a\nRUN x `\n y\\\n");
    assert_eq!(top.escape, '`');
    assert_eq!(top.directive("syntax").unwrap().value.value, "docker/dockerfile:1");
    assert_eq!(top.text_of(top.directive("check").unwrap().value.span), "skip=all");
    assert_eq!(top.instructions[1].original, "RUN x  y\\");
    let late = file("# just so\n# escape=`\nFROM a\n");
    assert_eq!((late.escape, late.directives.len()), ('\\', 0));
    let codes = |text: &str| parse(text).problems.iter().map(|problem| problem.code).collect::<Vec<_>>();
    assert_eq!(codes("# escape=x\nFROM a"), ["invalid-escape"]);
    assert_eq!(codes("# syntax=a\n# syntax=b\nFROM a"), ["duplicate-directive"]);
    assert_eq!(codes("# syntx=a\nFROM a"), ["misspelt-directive"]);
    assert_eq!(codes("# see=also\nFROM a"), [""; 0]);
}

#[test]
fn nothing_to_build_is_refused() {
    let codes = |text: &str| parse(text).problems.iter().map(|problem| problem.code).collect::<Vec<_>>();
    for text in ["", "\n \n", "# only this\n"] {
        assert_eq!(codes(text), ["no-instructions"], "{text:?}");
    }
    assert_eq!(codes("ARG A=1\n"), ["no-stage"]);
    assert_eq!(codes("RUN x\nFROM a\n"), ["no-stage"]);
    assert_eq!(codes(&format!("FROM a\nRUN {}\n", "x".repeat(70_000))), ["line-too-long"]);
}

#[test]
fn unknown_instructions_are_guessed_at() {
    let file = parse("FROM a\nCOYP a b\n&& x\n");
    assert_eq!(file.problems[0].help.as_deref(), Some("did you mean `COPY`?"));
    assert!(file.problems[1].help.as_deref().unwrap().contains("line above"));
    assert_eq!(file.instructions[1].command, Command::Unknown);
}

#[test]
fn from_names_stages() {
    let file = file("FROM --platform=$BUILDPLATFORM node:24 as Build\nFROM scratch");
    let Command::From(from) = &file.instructions[0].command else { panic!() };
    assert_eq!(from.platform.as_ref().unwrap().value, "$BUILDPLATFORM");
    assert_eq!(from.name.as_ref().unwrap().value, "Build");
    assert_eq!(file.text_of(from.as_word.as_ref().unwrap().span), "as");
    refused("FROM", "missing-argument", "FROM");
    refused("FROM a b", "from-arguments", "a b");
    refused("FROM a as", "from-arguments", "a as");
    refused("FROM a as 1st", "stage-name", "1st");
    refused("FROM --from=x a", "unknown-flag", "--from=x");
    refused("FROM --platform a", "flag-without-value", "--platform");
}

#[test]
fn flags_may_be_quoted() {
    let copy = one("COPY --from=a --chown=\"b:c\" -- --odd /x");
    assert_eq!(copy.flags.len(), 2);
    assert_eq!(copy.flag("chown").unwrap().value.as_ref().unwrap().value, "b:c");
    let Command::Copy(copy) = copy.command else { panic!() };
    assert_eq!(copy.transfer.paths().map(|path| path.value.as_str()).collect::<Vec<_>>(), ["--odd"]);
    refused("COPY --form=a b c", "unknown-flag", "--form=a");
    refused("COPY --link=maybe b c", "flag-value", "maybe");
    refused("COPY --chown=a --chown=b c d", "duplicate-flag", "--chown=b");
    refused("WORKDIR --x /a", "unknown-flag", "--x");
    let file = parse("FROM a\nCOPY --form=a b c");
    assert_eq!(file.problems[0].help.as_deref(), Some("did you mean `--from`?"));
}

#[test]
fn json_or_shell() {
    let cmd = |text: &str| match one(text).command {
        Command::Cmd(form) => form,
        other => panic!("{other:?}"),
    };
    assert_eq!(words(&cmd("CMD [\"node\", \"a b.js\"]")), ["node", "a b.js"]);
    assert_eq!(cmd("CMD ['node', 'a']").shell().unwrap().value, "['node', 'a']");
    assert_eq!(cmd("CMD [\"node\"] && x").shell().unwrap().value, "[\"node\"] && x");
    assert!(cmd("CMD").is_empty() && cmd("CMD []").is_empty());
    refused("CMD [\"a\", 1]", "not-strings", "[\"a\", 1]");
    refused("SHELL /bin/sh -c", "shell-form", "/bin/sh -c");
    refused("SHELL []", "missing-argument", "[]");
    let file = file("FROM a\nCMD [\"node\",\\\n \"b\"]");
    let Command::Cmd(Form::Exec(spanned)) = &file.instructions[1].command else { panic!() };
    assert_eq!(file.text_of(spanned[1].span), "\"b\"");
}

#[test]
fn env_and_label_hold_pairs() {
    let env = |text: &str| match one(text).command {
        Command::Env(env) => {
            let pairs = env.pairs.into_iter().map(|(key, value)| format!("{}|{}", key.value, value.value));
            (env.is_legacy, pairs.collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        env("ENV A=1 B=\"x y\" C='q' D=x\\ y E="),
        (
            false,
            vec![
                "A|1".to_owned(),
                "B|\"x y\"".to_owned(),
                "C|'q'".to_owned(),
                "D|x\\ y".to_owned(),
                "E|".to_owned(),
            ]
        )
    );
    assert_eq!(env("ENV A  b c=d "), (true, vec!["A|b c=d".to_owned()]));
    assert_eq!(env("ENV A=b\\"), (false, vec!["A|b".to_owned()]));
    refused("ENV", "missing-argument", "ENV");
    refused("ENV A", "missing-value", "A");
    refused("ENV A=1 b", "missing-equals", "b");
    refused("ENV =1", "blank-name", "");
    refused("LABEL a", "missing-value", "a");
    let Command::Arg(args) = one("ARG A B=1 C=").command else { panic!() };
    let defaults: Vec<_> =
        args.iter().map(|arg| arg.default.as_ref().map(|text| text.value.as_str())).collect();
    assert_eq!(defaults, [None, Some("1"), Some("")]);
    refused("ARG", "missing-argument", "ARG");
    refused("ARG =x", "blank-name", "=x");
}

#[test]
fn copy_and_add() {
    let Command::Copy(copy) = one(
        "COPY --from=b --chmod=u=rwX --exclude=*.md --exclude=x --link --parents [\"a b\", \"c\", \"/d/\"]",
    )
    .command
    else {
        panic!()
    };
    assert_eq!(copy.transfer.dest.value, "/d/");
    assert_eq!(copy.transfer.sources.len(), 2);
    assert_eq!(copy.transfer.exclude.len(), 2);
    assert!(copy.transfer.link && copy.parents);
    let Command::Add(add) = one("ADD --checksum=sha256:00 --unpack=false --keep-git-dir a b").command else {
        panic!()
    };
    assert_eq!((add.unpack, add.keep_git_dir), (Some(false), true));
    refused("COPY a", "missing-destination", "a");
    refused("COPY", "missing-destination", "COPY");
    refused("COPY [\"a\"]", "missing-destination", "[\"a\"]");
    refused("COPY --chmod=999 a b", "flag-value", "999");
    refused("COPY --from=$X a b", "flag-value", "$X");
    refused("ADD --from=x a b", "unknown-flag", "--from=x");
}

#[test]
fn heredocs_of_all_kinds() {
    let run = one("RUN <<EOF\necho a\n# b\nEOF\n");
    assert_eq!(run.heredocs[0].content, "echo a\n# b\n");
    let Command::Run(inner) = &run.command else { panic!() };
    assert_eq!(inner.input(&run.heredocs), RunInput::Shell("echo a\n# b\n".to_owned()));

    let script = one("RUN <<-\"EOF\"\n\t#!/usr/bin/env node\n\tx\n\tEOF\n");
    assert!(!script.heredocs[0].expand && script.heredocs[0].chomp);
    assert_eq!(script.heredocs[0].text(), "#!/usr/bin/env node\nx\n");
    let script = one("RUN <<EOF\n#!/usr/bin/env node\nx\nEOF");
    let Command::Run(inner) = &script.command else { panic!() };
    let content = "#!/usr/bin/env node\nx\n".to_owned();
    assert_eq!(inner.input(&script.heredocs), RunInput::Script { name: "EOF".to_owned(), content });

    let piped = one("RUN cat <<A - <<B | sh\n1\nA\n2\nB\nRUN next");
    let Command::Run(inner) = &piped.command else { panic!() };
    assert_eq!(inner.input(&piped.heredocs), RunInput::Shell("cat <<A - <<B | sh\n1\nA\n2\nB".to_owned()));

    let copy = one("COPY <<a.txt <<'b' plain /d/\nA\na.txt\nB\nb\n");
    let Command::Copy(inner) = &copy.command else { panic!() };
    assert_eq!(inner.transfer.sources[..2], [Source::Heredoc(0), Source::Heredoc(1)]);
    assert_eq!(copy.heredoc("b").unwrap().content, "B\n");
    assert!(!copy.heredoc("b").unwrap().expand);

    let onbuild = one("ONBUILD RUN <<E\nx\nE\n");
    let Command::Onbuild(inner) = &onbuild.command else { panic!() };
    assert_eq!(inner.heredocs.len(), 1);
    assert!(one("RUN [\"echo\", \"<<EOF\"]").heredocs.is_empty());
    assert!(one("CMD cat <<EOF").heredocs.is_empty());
    refused("RUN cat <<EOF\nx", "unterminated-heredoc", "RUN cat <<EOF");
    refused("COPY a <<EOF\nEOF", "heredoc-destination", "<<EOF");
}

#[test]
fn a_comment_after_a_heredoc_is_a_comment() {
    let file = file("FROM a\nRUN <<EOF\nx\nEOF\n# so\nRUN y\n");
    assert_eq!(file.instructions.len(), 3);
    assert_eq!(file.instructions[2].comments[0].value, "so");
    assert_eq!(file.text_of(file.instructions[1].span), "RUN <<EOF\nx\nEOF");
    assert_eq!(file.text_of(file.instructions[1].head), "RUN <<EOF");
}

#[test]
fn mounts() {
    let mount = |flag: &str| match one(&format!("RUN --mount={flag} x")).command {
        Command::Run(run) => run.mounts.into_iter().next().unwrap().mount,
        other => panic!("{other:?}"),
    };
    let cache = mount("type=cache,target=/root/.npm,sharing=locked,uid=1000,mode=0755").unwrap();
    assert_eq!((cache.kind, cache.readonly, cache.mode), (MountKind::Cache, false, Some(0o755)));
    let bind = mount("from=build,source=/a,target=/b").unwrap();
    assert_eq!((bind.kind, bind.readonly, bind.from.as_deref()), (MountKind::Bind, true, Some("build")));
    let secret = mount("'type=secret,\"id=a,b\",env=TOKEN,required'").unwrap();
    assert_eq!((secret.id.as_deref(), secret.required), (Some("a,b"), true));
    assert_eq!(mount("type=tmpfs,dst=/t,size=1.5m").unwrap().size, Some(1_572_864));
    assert_eq!(mount("type=cache,target=$DIR").unwrap().target.as_deref(), Some("$DIR"));
    assert_eq!(mount("type=$KIND,target=/a"), None);
    for (flag, place) in [
        ("type=cach,target=/a", "cach"),
        ("type=bind,uid=1", "uid"),
        ("type=cache,size=1m", "size"),
        ("type=secret", "id"),
        ("type=secret,id=a,from=b", "from"),
        ("type=bind,tagret=/a", "tagret"),
        ("type=bind,sharing=locked", "shared"),
        ("type=cache,sharing=all", "sharing"),
        ("required,type=ssh", "required"),
        ("type=bind,from=$A,target=/a", "from"),
        ("type=bind,target", "target"),
        ("type=bind,\\\"target=/a", "quoted field"),
    ] {
        let file = parse(&format!("FROM a\nRUN --mount={flag} x"));
        let [problem] = &file.problems[..] else { panic!("{flag}: {:?}", file.problems) };
        assert!(problem.message.contains(place), "{flag}: {}", problem.message);
    }
    refused("RUN --network=hots x", "flag-value", "hots");
    refused("RUN --security=no x", "flag-value", "no");
    refused("RUN --mounts=x y", "unknown-flag", "--mounts=x");
}

#[test]
fn healthchecks() {
    let check = |text: &str| match one(text).command {
        Command::Healthcheck(check) => check,
        other => panic!("{other:?}"),
    };
    let Healthcheck::Command(full) = check(
        "HEALTHCHECK --interval=30s --timeout=3s --start-period=1m --retries=2 CMD [\"node\", \"h.js\"]",
    ) else {
        panic!()
    };
    assert_eq!((full.interval, full.start_period, full.retries), (30_000_000_000, 60_000_000_000, 2));
    assert_eq!(words(&full.form), ["node", "h.js"]);
    assert_eq!(check("healthcheck none"), Healthcheck::None);
    assert!(
        matches!(check("HEALTHCHECK cmd curl x || exit 1"), Healthcheck::Command(check) if check.form.exec().is_none())
    );
    refused("HEALTHCHECK", "missing-argument", "HEALTHCHECK");
    refused("HEALTHCHECK CMD", "missing-argument", "CMD");
    refused("HEALTHCHECK NONE x", "unexpected-argument", "x");
    refused("HEALTHCHECK curl x", "healthcheck-kind", "curl");
    refused("HEALTHCHECK --interval=5 CMD x", "flag-value", "5");
    refused("HEALTHCHECK --interval=1us CMD x", "flag-value", "1us");
    refused("HEALTHCHECK --retries=-1 CMD x", "flag-value", "-1");
}

#[test]
fn single_values_and_lists() {
    let Command::Workdir(workdir) = one("WORKDIR   /a b ").command else { panic!() };
    assert_eq!(workdir.value, "/a b");
    let Command::Volume(volumes) = one("VOLUME [\"/a b\", \"/c\"]").command else { panic!() };
    assert_eq!(volumes.len(), 2);
    let Command::Expose(ports) = one("EXPOSE 80 53/udp $PORT 9000-9001").command else { panic!() };
    assert_eq!(ports.len(), 4);
    refused("WORKDIR", "missing-argument", "WORKDIR");
    refused("VOLUME []", "missing-argument", "[]");
    refused("VOLUME [\" \"]", "empty-volume", "\" \"");
    refused("EXPOSE 80 99999", "invalid-port", "99999");
    refused("EXPOSE 127.0.0.1:80:80", "host-port", "127.0.0.1:80:80");
    refused("STOPSIGNAL SIGTREM", "unknown-signal", "SIGTREM");
    assert!(matches!(one("STOPSIGNAL $S").command, Command::StopSignal(_)));
    assert!(matches!(one("MAINTAINER a <b@c>").command, Command::Maintainer(_)));
}

#[test]
fn onbuild_holds_an_instruction() {
    let Command::Onbuild(inner) = one("ONBUILD  COPY --chown=1 a /b").command else { panic!() };
    assert!(matches!(inner.command, Command::Copy(_)));
    assert_eq!(inner.original, "COPY --chown=1 a /b");
    refused("ONBUILD", "missing-argument", "ONBUILD");
    refused("ONBUILD ONBUILD RUN x", "onbuild-trigger", "ONBUILD");
    refused("ONBUILD from x", "onbuild-trigger", "from");
    refused("ONBUILD COPY x", "missing-destination", "x");
}

#[test]
fn an_empty_run_is_warned_of() {
    refused("RUN", "empty-run", "RUN");
    assert!(!parse("FROM a\nRUN").has_errors());
}

#[test]
fn positions_count_from_one() {
    let file = parse("FROM a\nCOPY ä --b\n  BAD\n");
    let bad = file.instructions[2].keyword.span;
    let at = file.lines.position(&file.text, bad.start);
    assert_eq!((at.line, at.column), (3, 3));
}

#[test]
fn ranges_of_the_joined_line_have_places() {
    let file = file("FROM a\nRUN npm \\\n  ci && \\\n  # why\n  x\n");
    let run = &file.instructions[1];
    let at = run.arguments.value.find('x').unwrap();
    assert_eq!(file.lines.line(run.place_in(&run.arguments.value, at..at + 1).start), 5);
    let at = run.original.find("ci").unwrap();
    assert_eq!(file.text_of(run.place(at..at + 2)), "ci");
}
