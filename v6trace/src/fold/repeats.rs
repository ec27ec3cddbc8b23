//! Repeats of a diagnosis: how many, on which interfaces, and what else changed.

use std::{collections::BTreeSet, fmt};

use crate::explain::{Diagnosis, Value, named, seconds_before};

/// Values of a kind that are kept, and interfaces that are named.
const NAMED: usize = 3;
/// Interfaces that are remembered.
const MOST: usize = 1 << 12;
/// The value that counts what the kernel side did not report each, ahead of a diagnosis.
const HELD_BACK: &str = "suppressed";

/// What has come since the group was last told of.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    count: u64,
    held_back: u64,
    newest_ns: u64,
    /// By what is ahead of its number, and that.
    interfaces: BTreeSet<(String, Option<u64>)>,
    /// Whether that of the first is among them.
    has_first: bool,
    /// Whether there were others that are not remembered.
    other_interfaces: bool,
    /// Whether all are on the interface of the first.
    same_interface: bool,
    changes: Vec<Change>,
}

/// Repeats of a diagnosis, as a line tells them.
#[derive(Debug)]
pub struct Repeats {
    /// The first of the group, with the time of the last repeat; without an interface
    /// where they are on several.
    pub like: Diagnosis,
    /// The number of the group in the session.
    pub group: u64,
    /// How many.
    pub count: u64,
    /// How many more the kernel side counted, and did not report each.
    pub held_back: u64,
    /// What they are of.
    pub of: Of,
    /// The interfaces, where it is not that of the first: "swp2 … swp35".
    pub interfaces: Option<String>,
    /// What they have otherwise than the first.
    pub changes: Vec<Change>,
}

/// What repeats are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// What has happened since then, nanoseconds since boot: what was told last of the group.
    Time(u64),
    /// A state.
    State,
}

/// A value that is another than in the first.
#[derive(Debug, PartialEq)]
pub struct Change {
    /// Its name.
    pub name: &'static str,
    /// The first few that it was.
    pub values: Vec<Value>,
    /// Whether there were others, too.
    pub others: bool,
    /// The least and the greatest, where all are numbers.
    pub range: Option<(i64, i64)>,
}

impl Waiting {
    /// Takes one more that is like the first.
    pub(super) fn take(&mut self, first: &Diagnosis, repeat: &Diagnosis) {
        let same_interface = repeat.interface == first.interface;
        self.same_interface = same_interface && (self.count == 0 || self.same_interface);
        self.count += 1;
        self.newest_ns = self.newest_ns.max(repeat.boot_ns);
        if let Some(Value::Number(number)) = repeat.evidence(HELD_BACK) {
            let number = u64::try_from(*number).unwrap_or_default();
            self.held_back = self.held_back.saturating_add(number);
        }
        if let Some(interface) = &repeat.interface
            && !(same_interface && self.has_first)
        {
            self.has_first |= same_interface;
            let interface = numbered(interface);
            if self.interfaces.len() < MOST {
                self.interfaces.insert(interface);
            } else {
                self.other_interfaces |= !self.interfaces.contains(&interface);
            }
        }
        let pid = |of: &Diagnosis| of.task.as_ref().map(|task| task.pid);
        if pid(first) != pid(repeat) {
            self.changed("pid", pid(repeat).into());
        }
        if first.address != repeat.address {
            let address = repeat.address.map(|address| address.to_string());
            self.changed("address", address.into());
        }
        for (index, evidence) in repeat.evidence.iter().enumerate() {
            if evidence.name == HELD_BACK {
                continue;
            }
            // Mostly it is in the same place.
            let there = first.evidence.get(index);
            let there = there.filter(|before| before.name == evidence.name);
            let before = there.map(|before| &before.value);
            let before = before.or_else(|| first.evidence(evidence.name));
            let before = before.unwrap_or(&Value::Unknown);
            // Which interface it is, is told in any case.
            let names_own = is_name(before, first) && is_name(&evidence.value, repeat);
            if evidence.value != *before && !names_own {
                self.changed(evidence.name, evidence.value.clone());
            }
        }
        for evidence in &first.evidence {
            if evidence.name != HELD_BACK && repeat.evidence(evidence.name).is_none() {
                self.changed(evidence.name, Value::Unknown);
            }
        }
    }

    fn changed(&mut self, name: &'static str, value: Value) {
        let number = match value {
            Value::Number(number) => Some(number),
            _ => None,
        };
        let Some(change) = self.changes.iter_mut().find(|change| change.name == name) else {
            self.changes.push(Change {
                name,
                range: number.map(|number| (number, number)),
                values: vec![value],
                others: false,
            });
            return;
        };
        change.range = change
            .range
            .zip(number)
            .map(|((least, greatest), number)| (least.min(number), greatest.max(number)));
        if change.values.contains(&value) {
            return;
        }
        if change.values.len() < NAMED {
            change.values.push(value);
        } else {
            change.others = true;
        }
    }

    /// As a line.
    pub(super) fn told(self, group: u64, first: &Diagnosis, of: Of) -> Repeats {
        let mut like = first.clone();
        like.boot_ns = self.newest_ns;
        let mut interfaces = None;
        if !self.same_interface {
            like.interface = None;
            like.ifindex = None;
            interfaces = names(&self.interfaces);
            if self.other_interfaces {
                interfaces = interfaces.map(|names| names + " and others");
            }
        }
        Repeats {
            like,
            group,
            count: self.count,
            held_back: self.held_back,
            of,
            interfaces,
            changes: self.changes,
        }
    }
}

impl fmt::Display for Repeats {
    /// `34 more like it in 0.8 s: swp2 … swp35`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} more like it", self.count)?;
        if let Of::Time(since_ns) = self.of {
            f.write_str(" in ")?;
            if self.like.boot_ns.saturating_sub(since_ns) < 100_000_000 {
                f.write_str("less than 0.1 s")?;
            } else {
                f.write_str(&seconds_before(self.like.boot_ns, since_ns))?;
            }
        }
        match self.held_back {
            0 => {}
            1 => f.write_str(", and 1 that was not reported by itself")?,
            more => write!(f, ", and {more} that were not reported each")?,
        }
        match &self.interfaces {
            Some(interfaces) => write!(f, ": {interfaces}"),
            None => Ok(()),
        }
    }
}

/// Whether a value is the name of the interface that a diagnosis is about.
fn is_name(value: &Value, of: &Diagnosis) -> bool {
    matches!((value, &of.interface), (Value::Text(text), Some(interface)) if text == interface)
}

/// A name as what is ahead of its number, and that.
fn numbered(name: &str) -> (String, Option<u64>) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    // With a zero ahead it would be another name.
    let number = digits.parse::<u64>().ok();
    match number.filter(|number| number.to_string() == digits) {
        Some(number) => (stem.to_owned(), Some(number)),
        None => (name.to_owned(), None),
    }
}

/// "swp2 … swp35" where there is none missing in between, else the first few.
fn names(all: &BTreeSet<(String, Option<u64>)>) -> Option<String> {
    let name = |(stem, number): &(String, Option<u64>)| match number {
        Some(number) => format!("{stem}{number}"),
        None => stem.clone(),
    };
    let (first, last) = (all.first()?, all.last()?);
    let span = first.1.zip(last.1).filter(|_| first.0 == last.0);
    let span = span.and_then(|(first, last)| usize::try_from(last - first).ok());
    if all.len() > NAMED && span == Some(all.len() - 1) {
        return Some(format!("{} … {}", name(first), name(last)));
    }
    let all: Vec<String> = all.iter().map(name).collect();
    Some(named(&all, NAMED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_in_a_row_are_named_by_their_ends() {
        let named = |all: &[&str]| names(&all.iter().map(|name| numbered(name)).collect());
        let row: Vec<String> = (8..=12).map(|n| format!("swp{n}")).collect();
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        assert_eq!(named(&row).as_deref(), Some("swp8 … swp12"));
        let gap = ["swp1", "swp2", "swp10", "swp3", "swp5"];
        assert_eq!(named(&gap).as_deref(), Some("swp1, swp2, swp3 and 2 more"));
        let mixed = ["b1", "a", "eth01", "b1"];
        assert_eq!(named(&mixed).as_deref(), Some("a, b1, eth01"));
        assert_eq!(
            named(&["18446744073709551616"]).as_deref(),
            Some("18446744073709551616")
        );
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn what_was_held_back_is_added_up() {
        let cause = crate::catalogue::Cause::from_code("no-route").unwrap();
        let of = |held_back: u32| {
            Diagnosis::of_state(1, 1, cause, "It went.".to_owned()).with(HELD_BACK, held_back)
        };
        let mut waiting = Waiting::default();
        for held_back in [0, 9990, 2] {
            waiting.take(&of(5), &of(held_back));
        }
        let told = waiting.told(1, &of(5), Of::Time(1));
        assert!(told.changes.is_empty());
        assert_eq!(
            told.to_string(),
            "3 more like it in less than 0.1 s, and 9992 that were not reported each"
        );
    }
}
