//! What a diagnosis has to say, checked as a whole so that one failing run
//! shows everything that is wrong with it.

use anyhow::{Result, bail};
use serde_json::Value;

use super::Diagnosis;

/// A list of expectations; nothing counts before [`Expect::check`].
#[must_use = "expectations count only once checked"]
pub(crate) struct Expect<'a> {
    diagnosis: &'a Diagnosis,
    wrong: Vec<String>,
}

impl<'a> Expect<'a> {
    pub(super) fn of(diagnosis: &'a Diagnosis) -> Self {
        Self {
            diagnosis,
            wrong: Vec::new(),
        }
    }

    /// A field has exactly this value.
    pub(crate) fn field(self, name: &str, want: impl Into<Value>) -> Self {
        let got = self.diagnosis.field(name).clone();
        self.same(name, &got, &want.into())
    }

    /// A value of the evidence is exactly this.
    pub(crate) fn evidence(mut self, name: &str, want: impl Into<Value>) -> Self {
        if let Some(got) = self.diagnosis.evidence(name).cloned() {
            self.same(&format!("evidence.{name}"), &got, &want.into())
        } else {
            self.wrong.push(format!("the evidence has no {name}"));
            self
        }
    }

    /// The summary holds all of these words or numbers, each standing alone.
    pub(crate) fn summary_has<S: ToString>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        for word in words {
            let word = word.to_string();
            if !has_word(self.diagnosis.summary(), &word) {
                self.wrong
                    .push(format!("the summary does not say {word:?}"));
            }
        }
        self
    }

    /// The summary holds one of these phrases, in whatever case.
    pub(crate) fn summary_has_one_of(mut self, phrases: &[&str]) -> Self {
        if !phrases.iter().any(|phrase| self.summary_contains(phrase)) {
            self.wrong
                .push(format!("the summary says none of {phrases:?}"));
        }
        self
    }

    /// The summary holds none of these phrases, in whatever case.
    pub(crate) fn summary_has_none_of(mut self, phrases: &[&str]) -> Self {
        for phrase in phrases {
            if self.summary_contains(phrase) {
                self.wrong.push(format!("the summary says {phrase:?}"));
            }
        }
        self
    }

    fn summary_contains(&self, phrase: &str) -> bool {
        let summary = self.diagnosis.summary().to_lowercase();
        summary.contains(&phrase.to_lowercase())
    }

    /// One of the fixes holds this text.
    pub(crate) fn some_fix_has(mut self, text: &str) -> Self {
        if !self.diagnosis.fixes().iter().any(|fix| fix.contains(text)) {
            self.wrong.push(format!("no fix says {text:?}"));
        }
        self
    }

    /// None of the fixes holds this text.
    pub(crate) fn no_fix_has(mut self, text: &str) -> Self {
        if self.diagnosis.fixes().iter().any(|fix| fix.contains(text)) {
            self.wrong.push(format!("a fix says {text:?}"));
        }
        self
    }

    /// Any other condition, in words that say what is wrong without it.
    pub(crate) fn that(mut self, holds: bool, otherwise: impl Into<String>) -> Self {
        if !holds {
            self.wrong.push(otherwise.into());
        }
        self
    }

    fn same(self, name: &str, got: &Value, want: &Value) -> Self {
        let otherwise = format!("{name} is {got}, not {want}");
        self.that(got == want, otherwise)
    }

    /// The verdict.
    ///
    /// # Errors
    /// Everything that is not as expected, and the diagnosis itself.
    pub(crate) fn check(self) -> Result<()> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        bail!("{}\nin {}", self.wrong.join("\n"), self.diagnosis)
    }
}

/// Whether `text` holds `word` with nothing around it that would make it part
/// of a longer word, number or address.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == ':' || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let mut after = text[start + word.len()..].chars();
        let ends = match after.next() {
            // Punctuation may follow, as long as the word does not go on.
            Some(':') => !after.next().is_some_and(char::is_alphanumeric),
            Some(next) => !joins(next),
            None => true,
        };
        ends && !before.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_stand_alone() {
        let text = "guest could not join ff15::6e:0:1 on d0 (ENOMEM): 20440 + 56 bytes";
        for word in [
            "guest",
            "ff15::6e:0:1",
            "d0",
            "ENOMEM",
            "20440",
            "56",
            "bytes",
        ] {
            assert!(has_word(text, word), "{word}");
        }
        for word in ["gues", "ff15::6e:0", "2044", "0:1", "d"] {
            assert!(!has_word(text, word), "{word}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let diagnosis = Diagnosis::new(json!({
            "cause": "c", "summary": "Two things", "evidence": {"size": 56}, "fix": ["a", "b c"]
        }));
        diagnosis
            .expect()
            .field("cause", "c")
            .field("errno", Value::Null)
            .evidence("size", 56)
            .summary_has_one_of(&["three", "two"])
            .summary_has_none_of(&["four"])
            .some_fix_has("b")
            .no_fix_has("d")
            .check()
            .unwrap();
        let wrong = diagnosis
            .expect()
            .field("cause", "d")
            .evidence("size", "56")
            .evidence("mtu", 1)
            .summary_has(["thing"])
            .some_fix_has("x")
            .check()
            .unwrap_err()
            .to_string();
        for part in [
            "cause is \"c\"",
            "evidence.size is 56, not \"56\"",
            "no mtu",
            "thing",
            "\"x\"",
        ] {
            assert!(wrong.contains(part), "{part} is missing in {wrong}");
        }
    }
}
