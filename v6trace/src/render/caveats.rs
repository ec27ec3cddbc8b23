//! What a session could not see, in sentences: the same in a document and on the screen.

use crate::{check::Checked, coverage::Coverage, report::Totals};

/// Of a session with this coverage that came to `totals`, where only `asked` was asked for.
pub(crate) fn sentences(
    coverage: &Coverage,
    totals: &Totals,
    asked: Option<&str>,
    is_live: bool,
) -> Vec<String> {
    let attached = coverage.attached().count();
    let mut said = Vec::new();
    if let Some(asked) = asked {
        said.push(format!("Only {asked} was asked for: nothing else is here."));
    }
    said.push(match (attached, coverage.hooks.len()) {
        (attached, all) if attached == all => format!("All {all} hooks were attached."),
        (attached, all) => format!("{attached} of {all} hooks were attached."),
    });
    said.extend(
        coverage
            .troubles()
            .into_iter()
            .map(|trouble| format!("{trouble}.")),
    );
    said.extend(coverage.without_ipv6.iter().map(|why| format!("{why}.")));
    said.extend(coverage.absent.iter().map(|absent| format!("{absent}.")));
    if let Some(families) = coverage.left_out() {
        said.push(format!("Left out on request: {families}."));
    }
    said.push(match totals.lost {
        0 => "No event was lost.".to_owned(),
        1 => "1 event was lost: what it would have told is not here.".to_owned(),
        lost => format!("{lost} events were lost: what they would have told is not here."),
    });
    let not_understood = totals.undecoded.values().sum::<u64>() + totals.unknown;
    if not_understood > 0 {
        said.push(format!("{not_understood} records were not understood."));
    }
    if let Some(findings) = totals.findings.filter(|findings| *findings > 0) {
        let command = if is_live {
            "v6trace check"
        } else {
            "v6trace replay --check FILE"
        };
        said.push(format!(
            "When tracing began, {findings} more things were the matter with the host: \
             `{command}` shows them."
        ));
    }
    if let Some(missing) = totals.unseen.as_ref().and_then(Checked::missing) {
        said.push(format!(
            "Of the host as it was when tracing began, not seen: {missing}."
        ));
    }
    said
}
