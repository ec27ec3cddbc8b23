//! One thing that v6trace explained, with access by field name.

use std::fmt;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Expect;

/// A `diagnosis` object of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis(Value);

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Diagnosis {
    pub(super) fn new(object: Value) -> Self {
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

    /// Starts a list of what this diagnosis has to say.
    pub(crate) fn expect(&self) -> Expect<'_> {
        Expect::of(self)
    }
}
