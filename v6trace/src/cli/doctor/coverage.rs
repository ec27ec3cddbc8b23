//! Which hooks fire here, family by family.

use std::io::{self, Write};

use v6trace_common::{FAMILIES, Family};

use super::line;
use crate::coverage::{Coverage, HookCoverage};

/// Prints why hooks do not fire, each reason once, and then what became of the
/// hooks of each family.
pub(super) fn print(out: &mut impl Write, coverage: &Coverage) -> io::Result<()> {
    // One hook has its reason beside it.
    let troubles = coverage.troubles().into_iter();
    let shared: Vec<_> = troubles.filter(|trouble| trouble.hooks.len() > 1).collect();
    for trouble in &shared {
        let text = format!(
            "{} of {} hooks {}: {}",
            trouble.hooks.len(),
            coverage.hooks.len(),
            trouble.status,
            trouble.reason
        );
        line(out, "trouble", &text)?;
    }
    let has_own_note = |hook: &HookCoverage| {
        let of = |trouble: &crate::coverage::Trouble<'_>| {
            trouble.hooks.iter().any(|other| other.hook == hook.hook)
        };
        !shared.iter().any(of)
    };
    let hooks = coverage.hooks.iter();
    let width = hooks.map(|hook| hook.hook.len()).max().unwrap_or(0);
    let mut label = "hooks";
    for (family, hooks) in by_family(coverage) {
        line(out, label, &format!("{}: {}", family.name, family.about))?;
        label = "";
        for hook in hooks {
            let text = format!(
                "  {:<width$}  {:<9}  {}",
                hook.hook, hook.status, hook.function
            );
            line(out, label, &text)?;
            if let Some(note) = hook.note.as_ref().filter(|_| has_own_note(hook)) {
                line(out, label, &format!("    {note}"))?;
            }
        }
    }
    if let Some(families) = coverage.left_out() {
        line(out, "left out", &format!("{families} (on request)"))?;
    }
    for family in FAMILIES {
        if let Some(why) = family.on_request
            && !by_family(coverage).any(|(of, _)| of.name == family.name)
        {
            let name = family.name;
            line(
                out,
                "on request",
                &format!("{name}, by --family {name}: {why}"),
            )?;
        }
    }
    for (index, absent) in coverage.absent.iter().enumerate() {
        line(out, if index == 0 { "not here" } else { "" }, absent)?;
    }
    Ok(())
}

/// The hooks of each family that has any.
fn by_family(coverage: &Coverage) -> impl Iterator<Item = (&'static Family, Vec<&HookCoverage>)> {
    let hooks_of = |family: &Family| {
        let is_of = |hook: &&HookCoverage| family.hooks.iter().any(|info| info.name == hook.hook);
        coverage.hooks.iter().filter(is_of).collect::<Vec<_>>()
    };
    let all = FAMILIES
        .iter()
        .map(move |&family| (family, hooks_of(family)));
    all.filter(|(_, hooks)| !hooks.is_empty())
}

#[cfg(test)]
mod tests {
    use v6trace_common::HOOKS;

    use super::*;
    use crate::coverage::Status;

    fn printed(coverage: &Coverage) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        print(&mut out, coverage).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    fn all(status: Status, note: impl Fn(&str) -> Option<String>) -> Coverage {
        let hooks = HOOKS.iter().map(|info| {
            let function = info.candidates[0].function;
            HookCoverage {
                hook: info.name.to_owned(),
                function: function.to_owned(),
                status,
                via: None,
                note: note(function).map(|reason| format!("{reason}; {}", info.without)),
            }
        });
        Coverage {
            hooks: hooks.collect(),
            ..Coverage::default()
        }
    }

    #[test]
    fn a_trouble_of_all_hooks_is_said_once_and_first() {
        let coverage = all(Status::Refused, |function| {
            Some(format!("{function}: perf_event_open failed (os error 2)"))
        });
        let text = printed(&coverage);
        assert_eq!(text.matches("os error 2").count(), 1, "{text}");
        let first = text.lines().next().unwrap();
        let count = HOOKS.len();
        assert_eq!(
            first,
            format!(
                "trouble        {count} of {count} hooks refused: perf_event_open failed (os error 2)"
            )
        );
        assert!(!text.contains(HOOKS[0].without), "{text}");
    }

    #[test]
    fn hooks_stand_below_their_family() {
        let mut coverage = all(Status::Attached, |_| None);
        coverage.left_out = vec!["dad".to_owned()];
        coverage.hooks[3].status = Status::Missing;
        coverage.hooks[3].note = Some("no such symbol".to_owned());
        let text = printed(&coverage);
        let lines: Vec<_> = text.lines().collect();
        for family in FAMILIES {
            let heading = format!("{}: {}", family.name, family.about);
            let at = lines
                .iter()
                .position(|line| line.ends_with(&heading))
                .unwrap();
            assert!(lines[at + 1].contains(family.hooks[0].name), "{text}");
        }
        assert!(text.contains("no such symbol"), "{text}");
        assert!(!text.contains("trouble"), "{text}");
        assert!(text.contains("left out       dad (on request)"), "{text}");
    }
}
