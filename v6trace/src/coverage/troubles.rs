//! Why hooks do not fire: those with the same trouble together.

use std::fmt;

use v6trace_common::{HOOKS, HookInfo};

use super::{Coverage, HookCoverage, Status};

/// A reason, and the hooks that do not fire for it.
#[derive(Debug)]
pub struct Trouble<'c> {
    /// What became of them.
    pub status: Status,
    /// Why, without what differs from hook to hook.
    pub reason: String,
    /// The hooks, in the order of the coverage.
    pub hooks: Vec<&'c HookCoverage>,
}

impl Coverage {
    /// The troubles of all hooks that do not fire.
    pub fn troubles(&self) -> Vec<Trouble<'_>> {
        let mut troubles: Vec<Trouble<'_>> = Vec::new();
        for hook in self.hooks.iter().filter(|hook| !hook.is_attached()) {
            let reason = reason(hook);
            let same = troubles
                .iter_mut()
                .find(|trouble| trouble.status == hook.status && trouble.reason == reason);
            match same {
                Some(trouble) => trouble.hooks.push(hook),
                None => troubles.push(Trouble {
                    status: hook.status,
                    reason,
                    hooks: vec![hook],
                }),
            }
        }
        troubles
    }
}

/// In a line, which for one hook also tells what is not explained without it.
impl fmt::Display for Trouble<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            reason,
            hooks,
        } = self;
        if let [hook] = hooks[..] {
            let HookCoverage {
                hook,
                function,
                note,
                ..
            } = hook;
            write!(f, "{hook} {status} ({function})")?;
            return note.iter().try_for_each(|note| write!(f, ": {note}"));
        }
        write!(f, "{} hooks {status}: {reason} (", hooks.len())?;
        for (index, hook) in hooks.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} at {}", hook.hook, hook.function)?;
        }
        f.write_str(")")
    }
}

/// The note of a hook without the functions that were tried and what is not
/// explained without it.
fn reason(hook: &HookCoverage) -> String {
    let note = hook.note.as_deref().unwrap_or_default();
    // A newer version's hooks are not known.
    let Some(info) = HOOKS.iter().find(|info| info.name == hook.hook) else {
        return note.to_owned();
    };
    let note = note.strip_suffix(info.without).unwrap_or(note);
    let note = note.trim_end_matches("; ");
    let mut parts = Vec::new();
    for part in note.split("; ") {
        let part = without_function(part, info);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join("; ")
}

fn without_function<'n>(part: &'n str, info: &HookInfo) -> &'n str {
    let mut candidates = info.candidates.iter();
    candidates
        .find_map(|candidate| part.strip_prefix(candidate.function)?.strip_prefix(": "))
        .unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kernel says that refuses every candidate of every hook.
    fn refused(refusal: &str) -> Coverage {
        let hooks = HOOKS.iter().map(|info| {
            let reasons = info
                .candidates
                .iter()
                .map(|candidate| format!("{}: {refusal}", candidate.function))
                .collect::<Vec<_>>();
            HookCoverage {
                hook: info.name.to_owned(),
                function: info.candidates[0].function.to_owned(),
                status: Status::Refused,
                via: None,
                note: Some(format!("{}; {}", reasons.join("; "), info.without)),
            }
        });
        Coverage {
            hooks: hooks.collect(),
            ..Coverage::default()
        }
    }

    #[test]
    fn one_refusal_of_all_hooks_is_one_trouble() {
        let refusal = "perf_event_open failed: No such file or directory (os error 2)";
        let coverage = refused(refusal);
        let [trouble] = &coverage.troubles()[..] else {
            panic!("not one trouble");
        };
        assert_eq!(trouble.reason, refusal);
        assert_eq!(trouble.hooks.len(), HOOKS.len());
        let line = trouble.to_string();
        assert_eq!(line.matches("os error 2").count(), 1, "{line}");
        assert!(line.starts_with(&format!("{} hooks refused: ", HOOKS.len())));
        for info in HOOKS {
            assert!(line.contains(info.candidates[0].function), "{line}");
        }
    }

    #[test]
    fn what_differs_is_told_apart() {
        let mut coverage = refused("no");
        coverage.hooks[0].status = Status::Missing;
        coverage.hooks[1].note = Some("something else".to_owned());
        coverage.hooks[2].status = Status::Attached;
        let troubles = coverage.troubles();
        let counts: Vec<_> = troubles.iter().map(|trouble| trouble.hooks.len()).collect();
        assert_eq!(counts, [1, 1, HOOKS.len() - 3]);
        let alone = troubles[0].to_string();
        let hook = &coverage.hooks[0];
        let note = hook.note.as_deref().unwrap();
        assert_eq!(
            alone,
            format!("{} missing ({}): {note}", hook.hook, hook.function)
        );
    }
}
