//! Everything that one run of `v6trace live --json` said, and the promises
//! that each such stream keeps.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Diagnosis, Finished};

/// The parsed stream of a run that ended well.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) session: Value,
    pub(crate) diagnoses: Vec<Diagnosis>,
    pub(crate) events: Vec<Value>,
    pub(crate) lost: Vec<Value>,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

impl Report {
    /// Parses what v6trace printed.
    ///
    /// # Errors
    /// It failed, a line is no object of a known type, or the session, the
    /// summary and what is between them do not agree.
    pub(crate) fn parse(run: Finished) -> Result<Self> {
        ensure!(run.status.success(), "v6trace failed: {run}");
        let objects = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
            .collect::<Result<Vec<Value>>>()?;
        let mut objects = objects.into_iter();
        let session = typed(objects.next(), "session")?;
        let summary = typed(objects.next_back(), "summary")?;
        let mut report = Self {
            session,
            diagnoses: Vec::new(),
            events: Vec::new(),
            lost: Vec::new(),
            summary,
            stderr: run.stderr,
        };
        for object in objects {
            match object["type"].as_str() {
                Some("diagnosis") => report.diagnoses.push(Diagnosis::new(object)),
                Some("event") => report.events.push(object),
                Some("lost") => report.lost.push(object),
                _ => bail!("unexpected in the stream: {object}"),
            }
        }
        report.agree()?;
        Ok(report)
    }

    /// Keeps some diagnoses.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Diagnosis) -> bool) {
        self.diagnoses.retain(wanted);
    }

    /// Checks the session and the closing summary against the rest.
    fn agree(&self) -> Result<()> {
        let session = &self.session;
        let name = rustix::system::uname();
        for (field, want) in [
            ("schema", Value::from(1)),
            ("kernel", name.release().to_string_lossy().into()),
            ("hostname", name.nodename().to_string_lossy().into()),
        ] {
            ensure!(session[field] == want, "{field} is not {want}: {session}");
        }
        let mut causes = BTreeMap::new();
        for diagnosis in &self.diagnoses {
            *causes.entry(diagnosis.cause()).or_insert(0) += 1;
        }
        let causes = serde_json::to_value(causes)?;
        // A cause that did not occur may be listed as zero.
        let mut counted = self.summary["diagnoses"].clone();
        if let Value::Object(counted) = &mut counted {
            counted.retain(|_, count| *count != 0);
        }
        ensure!(
            counted == causes,
            "the summary's count is not that of the stream, {causes}: {}",
            self.summary
        );
        ensure!(
            self.summary["undecoded"].as_u64().unwrap_or_default() == 0,
            "records of this kernel could not be decoded: {}",
            self.summary
        );
        let lost = self.lost_total()?;
        ensure!(
            self.summary["lost"] == lost,
            "the summary's losses are not the stream's, {lost}: {}",
            self.summary
        );
        Ok(())
    }

    /// How many records were lost, by the stream's own account.
    pub(crate) fn lost_total(&self) -> Result<u64> {
        self.lost.iter().try_fold(0, |sum, lost| {
            let count = lost["count"].as_u64();
            Ok(sum + count.with_context(|| format!("no count: {lost}"))?)
        })
    }

    /// The one diagnosis of the run, which has to have this cause.
    ///
    /// # Errors
    /// There is none, another, or more than one: all that was seen.
    pub(crate) fn only(&self, cause: &str) -> Result<&Diagnosis> {
        match self.diagnoses.as_slice() {
            [diagnosis] if diagnosis.cause() == cause => Ok(diagnosis),
            _ => bail!("expected one {cause} and nothing else: {}", self.seen()),
        }
    }

    /// The one diagnosis about the socket with this inode number.
    ///
    /// # Errors
    /// There is none, another cause, or more than one: all that was seen.
    pub(crate) fn of_socket(&self, inode: u64, cause: &str) -> Result<&Diagnosis> {
        let mut found = self
            .diagnoses
            .iter()
            .filter(|diagnosis| diagnosis.evidence("socket") == Some(&inode.into()));
        match (found.next(), found.next()) {
            (Some(diagnosis), None) if diagnosis.cause() == cause => Ok(diagnosis),
            _ => bail!("expected one {cause} of socket {inode}: {}", self.seen()),
        }
    }

    /// Checks that there were exactly `count` diagnoses.
    ///
    /// # Errors
    /// All that was seen.
    pub(crate) fn count(&self, count: usize) -> Result<()> {
        let seen = self.diagnoses.len();
        ensure!(seen == count, "expected {count} diagnoses: {}", self.seen());
        Ok(())
    }

    /// Checks that nothing was diagnosed and nothing was lost.
    ///
    /// # Errors
    /// All that was seen.
    pub(crate) fn silent(&self) -> Result<()> {
        self.complete()?;
        ensure!(
            self.diagnoses.is_empty(),
            "nothing was to be reported: {}",
            self.seen()
        );
        Ok(())
    }

    /// Checks that nothing was lost.
    pub(crate) fn complete(&self) -> Result<()> {
        ensure!(self.lost.is_empty(), "records were lost: {:?}", self.lost);
        Ok(())
    }

    /// The coverage of the hook or function `name`, as its status.
    pub(crate) fn coverage_of(&self, name: &str) -> Result<&Value> {
        let coverage = self.session["coverage"].as_array();
        coverage
            .into_iter()
            .flatten()
            .find(|line| line["hook"] == name || line["function"] == name)
            .with_context(|| format!("the coverage does not name {name}: {}", self.session))
    }

    /// Everything diagnosed, for a message.
    fn seen(&self) -> String {
        if self.diagnoses.is_empty() {
            return format!("v6trace reported nothing; its messages:\n{}", self.stderr);
        }
        let seen: Vec<_> = self.diagnoses.iter().map(ToString::to_string).collect();
        format!("v6trace reported\n{}", seen.join("\n"))
    }
}

fn typed(object: Option<Value>, kind: &str) -> Result<Value> {
    let object = object.with_context(|| format!("the stream has no {kind}"))?;
    ensure!(object["type"] == kind, "expected the {kind} here: {object}");
    Ok(object)
}
