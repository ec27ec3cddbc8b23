//! A diagnosis as what is kept of it, for a document or a list: bounded, and without its
//! session.

use super::{
    frame::Decoded,
    values::{push_change, push_value},
};
use crate::{
    catalogue::{Cause, Severity},
    explain::{Diagnosis, Value},
    families::FAMILIES,
    fold::Repeats,
    render::time,
    session::Session,
};

/// What is said of a cause that is not certain.
pub(crate) const LIKELY: &str = "Likely: inferred, not read.";
/// Characters of a sentence or value that are kept: more than any host gives rise to.
const LONGEST: usize = 4000;
/// Lines of repeats that are kept.
const MOST_LINES: usize = 20;

/// One diagnosis.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) diagnosis: Diagnosis,
    /// Its group of repeats.
    pub(crate) group: Option<u64>,
    /// When, to the millisecond, local time there.
    pub(crate) time: String,
    /// The network namespace, where it is not v6trace's own.
    pub(crate) netns: Option<String>,
    /// The values that prove it, those that are known.
    pub(crate) evidence: Vec<(&'static str, String)>,
    pub(crate) frame: Option<Decoded>,
    /// The lines of its repeats.
    pub(crate) repeats: Vec<String>,
    /// Further such lines.
    pub(crate) more_lines: u64,
    /// How many repeats these count.
    pub(crate) repeated: u64,
    /// Whether some of them were on other interfaces.
    pub(crate) elsewhere: bool,
    /// When the last of them was, nanoseconds since boot.
    pub(crate) newest_ns: u64,
}

impl Entry {
    pub(crate) fn new(
        session: &Session,
        diagnosis: &Diagnosis,
        group: Option<u64>,
        frame: Option<Decoded>,
    ) -> Self {
        let mut diagnosis = diagnosis.clone();
        let netns = (!session.is_own_namespace(diagnosis.netns)).then(|| {
            let name = session.namespace_name(diagnosis.netns);
            name.map_or_else(|| diagnosis.netns.to_string(), str::to_owned)
        });
        let evidence = std::mem::take(&mut diagnosis.evidence).into_iter();
        let evidence = evidence.filter(|evidence| evidence.value != Value::Unknown);
        let evidence = evidence.map(|evidence| (evidence.name, shown(&evidence.value)));
        let evidence = evidence.collect();
        diagnosis.summary = cut(&diagnosis.summary);
        for fix in &mut diagnosis.fix {
            fix.action = cut(&fix.action);
        }
        Self {
            group,
            time: time::milliseconds(session, diagnosis.boot_ns),
            netns,
            evidence,
            frame,
            repeats: Vec::new(),
            more_lines: 0,
            repeated: 0,
            elsewhere: false,
            newest_ns: diagnosis.boot_ns,
            diagnosis,
        }
    }

    /// What it is counted as.
    pub(crate) fn key(&self) -> (Cause, Severity) {
        (self.diagnosis.cause, self.diagnosis.severity)
    }

    /// Keeps the line of further repeats.
    pub(crate) fn repeated_by(&mut self, repeats: &Repeats) {
        self.repeated += repeats.count;
        self.elsewhere |= repeats.interfaces.is_some();
        self.newest_ns = self.newest_ns.max(repeats.like.boot_ns);
        if self.repeats.len() < MOST_LINES {
            let changes = repeats.changes.iter().map(|change| {
                let mut text = format!("{} ", change.name);
                push_change(&mut text, change, ' ');
                text
            });
            let changes: Vec<String> = changes.collect();
            let mut line = repeats.to_string();
            if !changes.is_empty() {
                line += &format!(" (changed: {})", changes.join(", "));
            }
            self.repeats.push(cut(&line));
        } else {
            self.more_lines += 1;
        }
    }

    /// Who did it, unless the kernel did of itself.
    pub(crate) fn who(&self) -> Option<String> {
        self.diagnosis.task.as_ref().map(ToString::to_string)
    }

    /// Where, as far as it is known: interface, namespace, pod or container.
    pub(crate) fn place(&self) -> Vec<(&'static str, String)> {
        let diagnosis = &self.diagnosis;
        let mut place = Vec::new();
        if let Some(interface) = &diagnosis.interface {
            place.push(("", interface.clone()));
        }
        if let Some(netns) = &self.netns {
            place.push(("netns", netns.clone()));
        }
        if let Some(pod) = &diagnosis.pod {
            place.push(("pod", pod.to_string()));
        } else if let Some(container) = &diagnosis.container {
            place.push(("container", container.name().to_owned()));
        }
        place
    }

    /// The family that its cause is of.
    pub(crate) fn family(&self) -> &'static str {
        let of = FAMILIES
            .iter()
            .find(|family| family.causes().contains(&self.diagnosis.cause));
        of.map_or("", |family| family.wire.name)
    }
}

fn shown(value: &Value) -> String {
    let mut text = String::new();
    push_value(&mut text, value, ' ');
    cut(&text)
}

/// As much of a text as is kept.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} … (cut)", &text[..end]),
        None => text.to_owned(),
    }
}
