//! What one explanation costs, in instructions: of the first failure of each
//! cause in the golden recordings of a kernel, as a live reader meets it.
//!
//! `cargo bench -p v6trace --bench explanations` prints a table; it needs
//! valgrind, which runs this program again for each number, once with few
//! explanations and once with many. What the two differ by is what the
//! explanations cost, whatever starting and ending take.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use v6trace::{
    catalogue::Cause,
    record::{KernelRecord, Lookup, Record},
    recording::{Item, Reader},
    render::{Json, Render, Text, time::TimeDisplay},
    report::{Options, Report},
};

const KERNEL: &str = "6.12";
/// Explanations of the two runs.
const FEW: u32 = 100;
const MANY: u32 = 600;

fn main() {
    // Cargo's own `--bench` is among the arguments.
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["explain", form, cause, times] = words[..] {
        explain(form, cause, times.parse().expect("a number"));
    } else {
        print_table();
    }
}

fn print_table() {
    println!("{:<32}{:>10}{:>10}", "instructions", "text", "json");
    for cause in stories().keys() {
        let text = instructions("text", cause.code());
        let json = instructions("json", cause.code());
        println!("{:<32}{text:>10}{json:>10}", cause.code());
    }
}

/// What one explanation takes.
fn instructions(form: &str, cause: &str) -> u64 {
    let [few, many] = [FEW, MANY].map(|times| run(form, cause, times));
    (many - few) / u64::from(MANY - FEW)
}

/// Instructions of a whole run.
fn run(form: &str, cause: &str, times: u32) -> u64 {
    let program = env::current_exe().expect("this program");
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["explain", form, cause, &times.to_string()])
        .output()
        .expect("valgrind is installed");
    let said = String::from_utf8_lossy(&done.stderr);
    let collected = said.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected : ")?;
        count.trim().parse().ok()
    });
    collected.unwrap_or_else(|| panic!("valgrind counts instructions: {said}"))
}

fn explain(form: &str, cause: &str, times: u32) {
    let cause = Cause::from_code(cause).expect("a cause");
    let story = stories().remove(&cause).expect("a recording of it");
    let render: Box<dyn Render> = if form == "json" {
        Box::new(Json::new(io::sink(), io::sink()))
    } else {
        let time = TimeDisplay::default();
        Box::new(Text::new(io::sink(), io::sink(), time, true))
    };
    let mut report = Report::new(Options::default(), render);
    story.feed(&mut report, times);
    assert_eq!(report.totals().shown(), u64::from(times));
}

/// A failure with what comes ahead of it.
struct Story {
    opening: Vec<Record>,
    /// What was looked up for it, and the kernel's record.
    failure: Vec<Record>,
}

impl Story {
    /// Explains it so many times, from the bytes on.
    fn feed<R: Render>(&self, report: &mut Report<R>, times: u32) {
        for record in &self.opening {
            let _ = report.feed(record).expect("output goes nowhere");
        }
        for _ in 0..times {
            for record in &self.failure {
                let _ = match record {
                    Record::Kernel(record) => {
                        let record = KernelRecord::new(record.bytes.clone());
                        report.feed(&Record::Kernel(record))
                    }
                    other => report.feed(other),
                }
                .expect("output goes nowhere");
            }
            report.flush().expect("output goes nowhere");
        }
    }
}

/// The first failure of each cause.
fn stories() -> BTreeMap<Cause, Story> {
    let mut stories = BTreeMap::new();
    for path in recordings() {
        let mut report = Report::new(Options::default(), Json::new(io::sink(), io::sink()));
        let (mut opening, mut around) = (Vec::new(), Vec::new());
        for record in records(&path) {
            let before = report.totals().diagnoses.clone();
            let _ = report.feed(&record).expect("output goes nowhere");
            let after = &report.totals().diagnoses;
            let explained = after.keys().find(|cause| !before.contains_key(cause));
            match &record {
                Record::Session(_) | Record::Lookup(Lookup::Namespace(_)) => {
                    opening.push(record);
                }
                Record::Kernel(_) => {
                    around.push(record);
                    if let Some(&cause) = explained {
                        let (opening, failure) = (opening.clone(), around.clone());
                        stories.entry(cause).or_insert(Story { opening, failure });
                    }
                    around.clear();
                }
                _ => around.push(record),
            }
        }
    }
    stories
}

fn recordings() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = golden.join(KERNEL).read_dir().expect("golden recordings");
    let files = files.map(|file| file.expect("a golden recording").path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "v6t"))
        .collect();
    files.sort();
    files
}

fn records(path: &Path) -> Vec<Record> {
    let mut reader = Reader::new(File::open(path).expect("a golden recording")).expect("a reader");
    let mut records = Vec::new();
    let mut take = |item| match item {
        Item::Opening(opening) if records.is_empty() => {
            records.push(Record::Session(opening.session));
        }
        Item::Record(record) => records.push(record),
        _ => {}
    };
    while let Some(item) = reader.next_item().expect("a whole recording") {
        take(item);
    }
    while let Some(item) = reader.finish().expect("a whole recording") {
        take(item);
    }
    records
}
