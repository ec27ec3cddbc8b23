//! `v6trace report` of the golden recordings.

use std::{fs, path::Path, process::Command};

use assert_cmd::prelude::*;

use crate::support::{KERNELS, STORIES, recording};

fn report(words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    command.env_remove("RUST_LOG").arg("report").args(words);
    command
}

#[test]
fn each_story_makes_a_page_and_a_ticket() {
    for kernel in KERNELS {
        for story in STORIES {
            let path = recording(kernel, story);
            let page = report(&[]).arg(&path).output().expect("it runs");
            assert!(page.status.success(), "{kernel} {story}");
            let page = String::from_utf8(page.stdout).expect("text");
            assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
            let ticket = report(&["--format", "markdown"]).arg(&path).output();
            let ticket = String::from_utf8(ticket.expect("it runs").stdout).expect("text");
            // The first block of what a replay says.
            let text = fs::read_to_string(path.with_extension("txt")).expect("the text");
            let words: Vec<&str> = text.split_whitespace().take(3).collect();
            let [time, severity, cause] = words[..] else {
                panic!("{text}");
            };
            for part in [time, cause, &severity.to_lowercase()] {
                assert!(page.contains(part), "{kernel} {story}: no {part}");
            }
            assert!(
                ticket.contains(&format!("## 1. {severity} {cause}\n")),
                "{ticket}"
            );
        }
    }
}

#[test]
fn files_are_read_and_written_as_by_the_other_commands() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| directory.path().join(name);
    fs::write(file("text"), "no recording").expect("a file");
    let page = file("page.html");
    let of = |input: &Path| {
        let mut command = report(&["-o"]);
        command.arg(&page).arg(input);
        command
    };
    of(&file("text"))
        .assert()
        .code(1)
        .stderr(predicates::str::contains("no recording"));
    assert!(
        !page.exists(),
        "nothing is written for what is no recording"
    );
    let good = recording("6.1", "dad");
    of(&good).assert().success();
    of(&good)
        .assert()
        .code(1)
        .stderr(predicates::str::contains("--force replaces it"));
    let mut cut = fs::read(&good).expect("the recording");
    cut.truncate(cut.len() - 20);
    fs::write(file("cut"), cut).expect("a file");
    of(&file("cut")).arg("--force").assert().success();
    let page = fs::read_to_string(&page).expect("a page all the same");
    assert!(page.contains("What the recording lacks"), "{page}");
}
