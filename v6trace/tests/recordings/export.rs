//! Recordings for other programs: pcapng, CSV and JSON.

use std::process::Command;

use assert_cmd::prelude::*;
use pcap_file::{
    DataLink,
    pcapng::{Block, PcapNgReader, blocks::enhanced_packet::EnhancedPacketOption},
};

use crate::support;

fn export(format: &str, kernel: &str, story: &str) -> Vec<u8> {
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    let output = command
        .args(["export", "--format", format])
        .arg(support::recording(kernel, story))
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{format} of {story}: {output:?}");
    output.stdout
}

/// The frame that failed duplicate address detection, as it was on the wire,
/// with the diagnosis beside it.
#[test]
fn pcapng_has_the_frames_with_their_diagnoses() {
    for kernel in support::KERNELS {
        let file = export("pcapng", kernel, "dad");
        let mut reader = PcapNgReader::new(file.as_slice()).expect("pcapng");
        let mut packets = 0;
        let mut interfaces = Vec::new();
        while let Some(block) = reader.next_block() {
            match block.expect("a block") {
                Block::InterfaceDescription(interface) => interfaces.push(interface.linktype),
                Block::EnhancedPacket(packet) => {
                    packets += 1;
                    // A neighbour solicitation in IPv6 in Ethernet.
                    assert_eq!(packet.data[12..15], [0x86, 0xdd, 0x60]);
                    assert_eq!(packet.data[54], 135);
                    assert!(packet.original_len as usize >= packet.data.len());
                    assert!(packet.timestamp.as_secs() > 1_700_000_000);
                    let comments: Vec<&str> = packet
                        .options
                        .iter()
                        .map(|option| match option {
                            EnhancedPacketOption::Comment(comment) => comment.as_ref(),
                            other => panic!("{other:?}"),
                        })
                        .collect();
                    let has = |start: &str| {
                        let found = comments.iter().any(|comment| comment.starts_with(start));
                        assert!(found, "{start}: {comments:#?}");
                    };
                    assert!(comments[0].starts_with("FAILURE dad-loopback: "));
                    has("evidence: message NS");
                    has("fix: ");
                    has("more: v6trace explain dad-loopback");
                    // Wireshark shows no more of each.
                    let longest = comments.iter().map(|comment| comment.chars().count()).max();
                    assert!(longest <= Some(200), "{comments:#?}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(packets, 1);
        assert_eq!(interfaces, [DataLink::ETHERNET]);
    }
}

#[test]
fn csv_has_a_row_for_each_diagnosis() {
    let file = export("csv", "6.12", "token");
    let mut reader = csv::Reader::from_reader(file.as_slice());
    let columns = reader.headers().expect("columns").clone();
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    let value = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        &row[at.expect("the column")]
    };
    assert_eq!(value("cause"), "token-forwarding");
    assert_eq!(value("severity"), "failure");
    assert_eq!(value("confidence"), "certain");
    assert_eq!(value("errno"), "EINVAL");
    assert_eq!(value("interface"), "wan0");
    assert_eq!(value("netns_name"), "branch");
    assert!(value("summary").contains("accept_ra"));
    let evidence: serde_json::Value = serde_json::from_str(value("evidence")).expect("JSON");
    assert_eq!(evidence["forwarding"], 1);
    assert!(value("fix").contains("accept_ra=2"));
}

/// What `replay --json --events` prints.
#[test]
fn json_is_that_of_a_replay() {
    let exported = export("json", "6.12", "anycast");
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    let replayed = command
        .args(["replay", "--json", "--events"])
        .arg(support::recording("6.12", "anycast"))
        .output()
        .expect("it runs");
    assert_eq!(exported, replayed.stdout);
}

#[test]
fn a_file_is_not_overwritten_unless_asked_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("out.csv");
    let run = |more: &[&str]| {
        let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
        command
            .args(["export", "--format", "csv"])
            .arg(support::recording("6.12", "token"))
            .arg("-o")
            .arg(&out)
            .args(more);
        command
    };
    run(&[]).assert().success();
    run(&[])
        .assert()
        .code(1)
        .stderr(predicates::str::contains("--force replaces it"));
    run(&["--force"]).assert().success();
    let holds = |text: &str| {
        let file = std::fs::read_to_string(&out).expect("the file");
        assert!(file.contains(text), "{file}");
    };
    holds("token-forwarding");
    // Nor by what turns out to be no recording.
    for content in ["", "nothing of the kind"] {
        let other = directory.path().join("other");
        std::fs::write(&other, content).expect("a file");
        run(&["--force"]).arg(&other).assert().code(1);
        holds("token-forwarding");
    }
}

/// A session without such frames is an empty capture, and that is said.
#[test]
fn pcapng_without_frames_says_so() {
    let mut command = Command::cargo_bin("v6trace").expect("cargo built it");
    let output = command
        .args(["export", "--format", "pcapng"])
        .arg(support::recording("6.1", "token"))
        .output()
        .expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("no frames of neighbour discovery"),
        "{stderr}"
    );
    let mut reader = PcapNgReader::new(output.stdout.as_slice()).expect("pcapng");
    assert!(reader.next_block().is_none());
}
