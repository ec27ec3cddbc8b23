//! One thing that v6trace explained, with access by field name.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Expect, finish};

/// A `diagnosis` object of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis(Value);

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Diagnosis {
    pub(crate) fn new(object: Value) -> Self {
        Self(object)
    }

    /// The cause's code.
    pub(crate) fn cause(&self) -> &str {
        self.field("cause").as_str().unwrap_or_default()
    }

    /// A field of the diagnosis; null if it is absent.
    pub(crate) fn field(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// A value of the evidence, None if it is absent.
    pub(crate) fn evidence(&self, name: &str) -> Option<&Value> {
        self.field("evidence").get(name)
    }

    /// A number of the evidence.
    pub(crate) fn evidence_u64(&self, name: &str) -> Result<u64> {
        self.evidence(name)
            .and_then(Value::as_u64)
            .with_context(|| format!("the evidence has no number {name}: {self}"))
    }

    /// The sentence that says what failed and why.
    pub(crate) fn summary(&self) -> &str {
        self.field("summary").as_str().unwrap_or_default()
    }

    /// The ways out, most advisable first.
    pub(crate) fn fixes(&self) -> Vec<&str> {
        let fixes = self.field("fix").as_array();
        fixes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Types the first fix that holds `text` in, on the host, with `ADDRESS`
    /// where the reader is to put one.
    ///
    /// # Errors
    /// There is no such fix, or it fails.
    pub(crate) fn follow_with(&self, text: &str, address: &str) -> Result<()> {
        self.follow_as(text, "ADDRESS", address)
    }

    /// The same with another word for the reader to replace.
    pub(crate) fn follow_as(&self, text: &str, word: &str, with: &str) -> Result<()> {
        let fixes = self.fixes();
        let fix = fixes
            .iter()
            .find(|fix| fix.contains(text))
            .with_context(|| format!("no fix says {text}: {self}"))?;
        let typed = fix.replace(word, with);
        let mut bash = Command::new("/bin/bash");
        let done = finish(bash.args(["-c", &typed]), Duration::from_secs(20))?;
        ensure!(done.status.success(), "the fix {typed:?} fails: {done}");
        println!("followed: {typed}");
        Ok(())
    }

    /// The same for a fix that is complete.
    pub(crate) fn follow(&self, text: &str) -> Result<()> {
        self.follow_with(text, "ADDRESS")
    }

    /// Starts a list of what this diagnosis has to say.
    pub(crate) fn expect(&self) -> Expect<'_> {
        Expect::of(self)
    }
}
