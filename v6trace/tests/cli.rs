//! The command line as a user without a kernel to trace meets it.

use std::process::{Command, Stdio};

use assert_cmd::prelude::*;
use predicates::prelude::*;

fn v6trace() -> Command {
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    command.env_remove("RUST_LOG").env_remove("CLICOLOR_FORCE");
    command
}

#[test]
fn without_a_command_it_shows_what_there_is() {
    v6trace()
        .assert()
        .code(2)
        .stderr(predicate::str::contains("live").and(predicate::str::contains("explain")));
}

#[test]
fn what_is_not_understood_exits_with_2() {
    for arguments in [
        &["live", "--no-such-option"][..],
        &["live", "--duration", "soon"],
        &["live", "--buffer-size", "0"],
        &["live", "--utc", "--relative"],
        &["live", "--count", "0"],
        &["check", "--if", "forwarding=0"],
        &["replay", "--if", "nonsense", "FILE"],
        &["nonsense"],
    ] {
        v6trace().args(arguments).assert().code(2).stdout("");
    }
}

#[test]
fn explain_lists_every_cause_and_prints_each_page() {
    let output = v6trace().arg("explain").assert().success();
    let list = String::from_utf8(output.get_output().stdout.clone()).expect("text");
    assert!(list.lines().count() >= 7, "{list}");
    // Beneath each family's name.
    for line in list.lines().filter(|line| line.starts_with("  ")) {
        let code = line.split_whitespace().next().expect("a code");
        v6trace()
            .args(["explain", code])
            .assert()
            .success()
            .stdout(predicate::str::starts_with(format!("# {code}\n")));
    }
}

#[test]
fn explain_of_an_unknown_code_says_where_the_codes_are() {
    v6trace()
        .args(["explain", "no-such-code"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(predicate::str::contains("`v6trace explain` lists them"));
}

#[test]
fn a_build_without_a_kernel_side_says_how_to_get_one() {
    for command in ["live", "doctor"] {
        let output = v6trace().arg(command).assert().code(1);
        let output = output.get_output();
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("cargo xtask build"), "{text}");
    }
}

#[test]
fn doctor_speaks_json_also_when_nothing_works() {
    let output = v6trace().args(["doctor", "--json"]).assert().code(1);
    let found: serde_json::Value =
        serde_json::from_slice(&output.get_output().stdout).expect("one object");
    assert_eq!(found["ok"], false);
    assert!(found["error"].is_string() && found["kernel"].is_string());
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    v6trace()
        .args(["live", "--netns", "/proc/self/ns/no-such-namespace"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("no-such-namespace"));
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut child = v6trace()
        .args(["explain", "optmem-exhausted"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
