//! Recordings of every story on every kernel, replayed here: this machine has
//! neither that kernel nor those interfaces, and no privilege is needed.

use std::{fs, process::Command};

use assert_cmd::prelude::*;
use snapbox::{Data, assert_data_eq};

use crate::{
    schema,
    support::{self, KERNELS, STORIES, recording},
};

fn v6trace(words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    command
        .env_remove("RUST_LOG")
        .env_remove("CLICOLOR_FORCE")
        // Neither this machine's clock nor its time zone plays a part.
        .env("TZ", "Pacific/Kiritimati")
        .args(words);
    command
}

/// What it prints where it succeeds: standard output, then standard error.
fn said(command: &mut Command) -> (String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}{stderr}",
        output.status
    );
    (stdout, stderr)
}

#[test]
fn each_story_replays_to_the_text_of_live_tracing() {
    for kernel in KERNELS {
        for story in STORIES {
            let path = recording(kernel, story);
            let (stdout, stderr) = said(v6trace(&["replay"]).arg(&path));
            let text = path.with_extension("txt");
            assert_data_eq!(stdout + &stderr, Data::read_from(&text, None).raw());
        }
    }
}

#[test]
fn a_pipe_replays_like_a_file() {
    let path = recording("5.10", "radvd");
    let (from_file, _) = said(v6trace(&["replay"]).arg(&path));
    let file = fs::File::open(&path).expect("the recording");
    let (from_pipe, _) = said(v6trace(&["replay", "-"]).stdin(file));
    assert_eq!(from_pipe, from_file);
}

#[test]
fn several_recordings_replay_one_after_the_other() {
    let paths = STORIES.map(|story| recording("6.1", story));
    let (together, _) = said(v6trace(&["replay"]).args(&paths));
    let alone = paths.map(|path| said(v6trace(&["replay"]).arg(path)).0);
    assert_eq!(together, alone.concat());
    let joined: Vec<u8> = STORIES
        .iter()
        .flat_map(|story| support::bytes("6.1", story))
        .collect();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("all");
    fs::write(&file, joined).expect("a file");
    assert_eq!(said(v6trace(&["replay"]).arg(file)).0, together);
}

#[test]
fn a_recording_given_twice_is_told_once() {
    let path = recording("6.1", "radvd");
    let (once, _) = said(v6trace(&["replay"]).arg(&path));
    let output = v6trace(&["replay"]).args([&path, &path]).output();
    let output = output.expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), once);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("it was given before"), "{stderr}");
}

#[test]
fn filters_and_time_displays_are_those_of_live() {
    let path = recording("6.12", "token");
    let replay = |words: &[&str]| said(v6trace(&["replay", "-q"]).args(words).arg(&path)).0;
    let all = replay(&[]);
    assert!(all.contains("token-forwarding"), "{all}");
    for seen in [
        &["-i", "wan0"][..],
        &["--comm", "ip"],
        &["--netns", "branch"],
    ] {
        assert_eq!(replay(seen), all, "{seen:?}");
    }
    for unseen in [
        &["-i", "wan1"][..],
        &["--comm", "radvd"],
        &["--netns", "other"],
        &["--pid", "1"],
    ] {
        assert_eq!(replay(unseen), "", "{unseen:?}");
    }
    assert!(replay(&["--relative"]).starts_with('+'));
    assert_eq!(replay(&["--events"]), all, "quiet leaves out events");
    let (loud, _) = said(v6trace(&["replay", "--events"]).arg(&path));
    assert!(loud.contains("  set-token  ip["), "{loud}");
    assert_eq!(replay(&["--count", "1"]), all);
    assert!(replay(&["--json"]).contains(r#""cause":"token-forwarding""#));
    v6trace(&["replay", "--netns", "/proc/self/ns/net"])
        .arg(&path)
        .assert()
        .code(1)
        .stderr(predicates::str::contains("a file of this machine"));
}

#[test]
fn lines_of_json_are_as_the_schema_has_them() {
    let (schema, _) = said(&mut v6trace(&["schema"]));
    assert!(schema.starts_with('{'), "{schema}");
    // One that ends too early has lines of its own.
    let directory = tempfile::tempdir().expect("a directory");
    let cut = directory.path().join("cut");
    let whole = support::bytes("6.1", "token");
    fs::write(&cut, &whole[..whole.len() - 1]).expect("a file");
    let replayed = v6trace(&["replay", "--json"]).arg(&cut).output();
    let lines = String::from_utf8(replayed.expect("it runs").stdout).expect("text");
    assert!(lines.contains(r#""type":"missing""#), "{lines}");
    for line in lines.lines() {
        check_line(line);
    }
    for kernel in KERNELS {
        for story in STORIES {
            let path = recording(kernel, story);
            let (lines, _) = said(v6trace(&["replay", "--events", "--json"]).arg(&path));
            let (findings, _) = said(v6trace(&["replay", "--check", "--json"]).arg(&path));
            for line in lines.lines().chain(findings.lines()) {
                check_line(line);
            }
        }
    }
}

/// A line is as the schema has it, and byte for byte as serde_json writes it.
fn check_line(line: &str) {
    let value: serde_json::Value = serde_json::from_str(line).expect("an object");
    assert_eq!(value.to_string(), line);
    schema::check(&value);
}

#[test]
fn info_says_what_a_recording_holds() {
    for kernel in KERNELS {
        let path = recording(kernel, "radvd");
        let (stdout, _) = said(v6trace(&["info", "--json"]).arg(&path));
        let info: serde_json::Value = serde_json::from_str(&stdout).expect("one object");
        let session = &info["sessions"][0];
        let release = session["kernel"].as_str().expect("a release");
        if kernel != "sid" {
            assert!(release.starts_with(&format!("{kernel}.")), "{release}");
        }
        assert!(session["diagnoses"]["optmem-exhausted"].as_u64() >= Some(1));
        assert!(session["events"]["multicast-join"].as_u64() >= Some(1));
        assert_eq!(session["lost"].as_array().map(Vec::len), Some(0));
        let members = session["members"].as_array().expect("members");
        assert!(members.iter().any(|member| member["value"].is_u64()));
        let file = &info["files"][0];
        let size = fs::metadata(&path).expect("the recording").len();
        assert_eq!(file["bytes"], size);
        assert_eq!(file["missing"].as_array().map(Vec::len), Some(0));
        let (text, _) = said(v6trace(&["info"]).arg(&path));
        for part in [release, "optmem-exhausted", "  whole\n"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }
}

#[test]
fn what_is_no_recording_is_refused_in_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    };
    let mut newer = support::bytes("6.12", "token");
    newer[8] = 2;
    let checksum = crc32fast::hash(&newer[..28]);
    newer[28..32].copy_from_slice(&checksum.to_le_bytes());
    for (name, content, words) in [
        ("empty", &b""[..], "is empty"),
        ("text", b"no recording at all", "no recording"),
        ("newer", &newer, "or a newer one"),
    ] {
        let path = file(name, content);
        for command in ["replay", "info"] {
            let output = v6trace(&[command]).arg(&path).output().expect("it runs");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{command} {name}: {stderr}");
            let last = stderr.lines().last().unwrap_or_default();
            assert!(last.contains(words), "{command} {name}: {stderr}");
            assert!(last.contains(name), "{command} {name}: {stderr}");
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(!stdout.contains("  whole\n"), "{command} {name}: {stdout}");
        }
    }
    v6trace(&["replay", "/no/such/file"])
        .assert()
        .code(1)
        .stderr(predicates::str::contains("/no/such/file"));
}
