//! Whatever records are written come back, in their order, from one file or
//! from pieces.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use assert_cmd::prelude::*;
use proptest::prelude::*;
use v6trace::{
    record::Lost, record::Namespace, record::Process, record::Record, record::SessionInfo,
    recording::Item, recording::OutputFile, recording::PieceOptions, recording::Reader,
    recording::Writer, recording::piece_path,
};
use v6trace_common::families;

/// A record as the kernel side writes it, but for what it means.
fn kernel(content: &[u8]) -> Record {
    let size = u16::try_from(content.len() + 2).expect("a small record");
    Record::kernel([&size.to_le_bytes(), content].concat())
}

fn record() -> impl Strategy<Value = Record> {
    let name = proptest::option::of("[a-z]{0,9}");
    prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 54..200).prop_map(|bytes| kernel(&bytes)),
        8 => (any::<[u8; 4]>(), 0_usize..60).prop_map(|(changing, at)| {
            let mut bytes = [7; 100];
            bytes[at..at + 4].copy_from_slice(&changing);
            kernel(&bytes)
        }),
        1 => (any::<u64>(), any::<u32>(), name.clone()).prop_map(|(boot_ns, inode, name)| {
            Record::from(Namespace { boot_ns, inode, name })
        }),
        1 => (any::<u64>(), any::<u32>(), name).prop_map(|(boot_ns, pid, unit)| {
            Record::from(Process { boot_ns, pid, unit, container: None, netns: None })
        }),
        1 => (any::<u64>(), any::<Option<u32>>(), any::<u64>()).prop_map(|(boot_ns, cpu, count)| {
            Record::Lost(Lost { boot_ns, hook: Some(families::multicast_join::JOIN), cpu, count })
        }),
    ]
}

/// Writes batches of records into files of a new directory.
fn write(batches: &[Vec<Record>], options: PieceOptions) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("recording");
    let output = OutputFile::create(&path, false, options).expect("a file");
    let mut writer = Writer::new(output).expect("a writer");
    let session = Record::Session(SessionInfo::default());
    writer.take(&[session]).expect("it is stored");
    for batch in batches {
        writer.take(batch).expect("it is stored");
    }
    let (recorded, finished) = writer.finish();
    finished.expect("it is stored");
    let count = batches.iter().map(Vec::len).sum::<usize>() as u64;
    assert_eq!((recorded.stored, recorded.unrecorded), (count, 0));
    (directory, path)
}

/// The records of a file; the names of namespaces that a piece opens with are
/// not among them.
fn read(path: &PathBuf, expected: Option<u32>) -> (Vec<String>, Option<u32>) {
    let file = fs::File::open(path).expect("the file");
    let reader = Reader::new(file).expect("a reader");
    let mut reader = reader.continuing(expected);
    let mut records = Vec::new();
    while let Some(item) = reader.next_item().expect("it is read") {
        match item {
            Item::Record(record) => records.push(format!("{record:?}")),
            Item::Opening(_) | Item::Continued { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(reader.finish().expect("it is whole").is_none());
    (records, reader.expected())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn records_come_back(
        batches in proptest::collection::vec(proptest::collection::vec(record(), 0..40), 0..12)
    ) {
        let (_directory, path) = write(&batches, PieceOptions::default());
        let written: Vec<String> = batches.iter().flatten().map(|record| format!("{record:?}")).collect();
        prop_assert_eq!(read(&path, None).0, written);
    }
}

/// Batches of bytes that do not compress, so that there are several pieces.
fn noise() -> Vec<Vec<Record>> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    let batches = (0..40).map(|_| {
        let batch = (0..40).map(|_| kernel(&std::array::from_fn::<u8, 150, _>(|_| noise())));
        // Stored at once: it ends with a loss.
        let lost = Lost {
            boot_ns: 0,
            hook: None,
            cpu: Some(0),
            count: 1,
        };
        batch.chain([Record::Lost(lost)]).collect()
    });
    batches.collect()
}

#[test]
fn pieces_are_no_larger_than_asked_for_and_together_hold_everything() {
    const SIZE: u64 = 64 << 10;
    let batches = noise();
    let options = PieceOptions {
        max_size: Some(SIZE),
        max_files: None,
    };
    let (_directory, path) = write(&batches, options);
    let mut found = Vec::new();
    let mut expected = None;
    for piece in 0.. {
        let path = piece_path(&path, piece);
        let Ok(metadata) = fs::metadata(&path) else {
            assert!(piece > 2, "{piece} pieces only");
            break;
        };
        assert!(metadata.len() <= SIZE, "piece {piece}: {}", metadata.len());
        let (records, next) = read(&path, expected);
        found.extend(records);
        expected = next;
    }
    let written: Vec<String> = batches
        .iter()
        .flatten()
        .map(|record| format!("{record:?}"))
        .collect();
    assert_eq!(found, written);
}

#[test]
fn only_the_newest_pieces_are_kept() {
    let options = PieceOptions {
        max_size: Some(64 << 10),
        max_files: Some(2),
    };
    let batches = noise();
    let (directory, path) = write(&batches, options);
    let files = fs::read_dir(directory.path()).expect("the directory");
    let files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(!path.exists());
    let pieces = (0..99).map(|piece| piece_path(&path, piece));
    let last = pieces.rev().find(|piece| piece.exists()).expect("a piece");
    let (records, _) = read(&last, None);
    let newest = format!(
        "{:?}",
        batches.last().and_then(|batch| batch.last()).expect("one")
    );
    assert_eq!(records.last(), Some(&newest));
    // A new recording of that name would be taken for a part of this one.
    assert!(OutputFile::in_the_way(&path).is_some());
    OutputFile::create(&path, true, options).expect("by force");
    let files = fs::read_dir(directory.path()).expect("the directory");
    assert_eq!(files.count(), 1);
}

#[test]
fn a_piece_that_is_still_empty_is_waited_for() {
    let options = PieceOptions {
        max_size: Some(64 << 10),
        max_files: None,
    };
    let mut batches = noise();
    batches.push(vec![Record::End { boot_ns: 9 }]);
    let (_directory, path) = write(&batches, options);
    let next = piece_path(&path, 1);
    let content = fs::read(&next).expect("a second piece");
    fs::write(&next, []).expect("it empties");
    let mut follower = Command::cargo_bin("v6trace")
        .expect("cargo built it")
        .args(["replay", "--follow"])
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let opened = format!("/proc/{}/fd", follower.id());
    until("it opens the second piece", || {
        let mut files = fs::read_dir(&opened).into_iter().flatten().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|file| file == next))
    });
    // And finds it empty, more than once.
    thread::sleep(Duration::from_millis(500));
    fs::write(&next, content).expect("it is filled");
    until("it ends", || {
        follower.try_wait().expect("its status").is_some()
    });
    let said = follower.wait_with_output().expect("what it said");
    let said = String::from_utf8_lossy(&said.stderr);
    assert!(said.contains("events seen"), "{said}");
    for complaint in ["is empty", "was not given"] {
        assert!(!said.contains(complaint), "{said}");
    }
}

/// Waits for a minute at most.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// What the README says of what the service recorded, of which the oldest pieces are gone.
#[test]
fn what_the_service_recorded_is_told_as_documented() {
    let readme = include_str!("../../../README.md");
    let (_, words) = readme.split_once("`sudo sh -c '").expect("how to");
    let (words, _) = words.split_once('\'').expect("its end");
    let options = PieceOptions {
        max_size: Some(16 << 10),
        max_files: None,
    };
    let mut batches = noise();
    batches.push(vec![Record::End { boot_ns: 9 }]);
    let (directory, path) = write(&batches, options);
    fs::remove_file(&path).expect("the oldest");
    let pieces = (1..).map(|piece| piece_path(&path, piece));
    let pieces: Vec<PathBuf> = pieces.take_while(|piece| piece.exists()).collect();
    // By their names alone, the tenth would come ahead of the second.
    assert!(pieces.len() > 10, "{} pieces only", pieces.len());
    for (piece, time) in pieces.iter().zip(1..) {
        // As they are after hours, not all written in a moment.
        let file = fs::File::options().append(true).open(piece);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
        file.and_then(|file| file.set_modified(time))
            .expect("a time");
    }
    let v6trace = Command::cargo_bin("v6trace").expect("cargo built it");
    let v6trace = v6trace.get_program().to_string_lossy().into_owned();
    let shown = directory.path().to_string_lossy().into_owned();
    let words = words
        .replace("/var/lib/v6trace", &shown)
        .replace("v6trace replay", &format!("{v6trace} replay"));
    let output = Command::new("sh").args(["-c", &words]).output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let missing = "and what came before was not given";
    assert_eq!(said.matches(missing).count(), 1, "{words}: {said}");
    for wrong in ["cannot open", "left out", "that follows was not given"] {
        assert!(!said.contains(wrong), "{words}: {said}");
    }
}
