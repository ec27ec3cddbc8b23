//! `v6trace why`: which command failed, and why.

mod consequences;
mod followed;
mod innermost;
mod process;
mod table;

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Scenario;
use crate::guest::{Diagnosis, Finished, Recording, finish, v6trace};

/// What was answered, and that nothing else was: whichever family might speak up.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    followed::SCENARIOS,
    innermost::SCENARIOS,
    process::SCENARIOS,
    consequences::SCENARIOS,
];

/// Whatever fails; and what is passed on to a command, of which nothing is asked.
pub(super) const PROCESS: &[&[Scenario]] = &[table::SCENARIOS, process::SIGNALS];

const LIMIT: Duration = Duration::from_mins(1);

/// What `v6trace why` had for an answer.
struct Answered {
    /// What it printed, behind what the command did.
    done: Finished,
    /// The object that says how the command ended.
    answer: Value,
    diagnoses: Vec<Diagnosis>,
    /// What was diagnosed of the whole host, as CSV.
    everything: String,
}

impl Answered {
    /// Asks about a command.
    ///
    /// # Errors
    /// A replay says something else.
    fn of(command: &[&str]) -> Result<Self> {
        let recording = Recording::new(&[]);
        let words = [&["why", "-o", recording.path(), "--"], command].concat();
        let done = finish(&mut v6trace(&words), LIMIT)?;
        Self::read(done, &recording)
    }

    /// The same of a script.
    fn of_script(script: &str) -> Result<Self> {
        Self::of(&["sh", "-c", script])
    }

    fn read(done: Finished, recording: &Recording) -> Result<Self> {
        let text = recording.read("replay", &[])?;
        // Of a command the answer is all on standard error, behind its own output: the
        // heading, the diagnoses, and what is said after them.
        let said = text.stderr.find(" ended ").map(|at| {
            let begin = text.stderr[..at].rfind('\n').map_or(0, |end| end + 1);
            let end = text.stderr[at..].find('\n').map_or(at, |end| at + end + 1);
            let (heading, notes) = (&text.stderr[begin..end], &text.stderr[end..]);
            [heading, &*text.stdout, notes].concat()
        });
        let live = if let Some(said) = said {
            done.stderr.ends_with(&said)
        } else {
            let of_tracing = |line: &&str| line.starts_with("v6trace: ready");
            let lines = done.stderr.split_inclusive('\n');
            let said: String = lines.filter(|line| !of_tracing(line)).collect();
            done.stdout == text.stdout && said == text.stderr
        };
        ensure!(live, "its replay says something else: {done}---\n{text}");
        let json = recording.read("replay", &["--json"])?;
        let (mut answer, mut diagnoses) = (Value::Null, Vec::new());
        for line in json.stdout.lines() {
            let object: Value = serde_json::from_str(line).context("no JSON")?;
            match object["type"].as_str() {
                Some("answer") => answer = object,
                Some("diagnosis") => diagnoses.push(Diagnosis::new(object)),
                Some("summary") => ensure!(object["lost"] == 0, "{object}"),
                Some("session") => {}
                _ => bail!("unexpected: {object}"),
            }
        }
        let everything = recording.read("export", &["--format", "csv"])?.stdout;
        Ok(Self {
            done,
            answer,
            diagnoses,
            everything,
        })
    }

    /// Checks which causes it names, in their order.
    fn names(&self, causes: &[&str]) -> Result<&Self> {
        let found: Vec<_> = self.diagnoses.iter().map(Diagnosis::cause).collect();
        ensure!(
            found == causes,
            "not {causes:?} but {found:?}: {}",
            self.done
        );
        Ok(self)
    }

    /// Checks what it says of it beside the diagnoses, and the exit status.
    fn says(&self, status: i32, text: &str) -> Result<&Self> {
        let found = self.done.status.code();
        ensure!(found == Some(status), "not {status}: {}", self.done);
        ensure!(self.answer["status"] == status, "{}", self.answer);
        ensure!(
            self.done.stderr.contains(text),
            "no {text:?}: {}",
            self.done
        );
        Ok(self)
    }
}

/// Somebody else, to whom the same happens again and again.
struct Other(std::process::Child);

impl Other {
    fn begin(script: &str) -> Result<Self> {
        let script = format!("while :; do {script}; sleep 0.05; done");
        let mut sh = Command::new("sh");
        sh.args(["-c", &script])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self(sh.spawn().context("cannot start sh")?))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It fails only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
