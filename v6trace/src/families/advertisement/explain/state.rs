//! An interface that is looked at without an advertisement at hand: whether it ignores
//! them all, and misses anything by that.

use super::{standing::Missed, whole};
use crate::{
    explain::{Diagnosis, Site},
    families::advertisement::{Cause, Standing},
};

/// Explains that it does, with what it has from anybody; `tell` makes a diagnosis of the
/// cause and the words for it.
pub(crate) fn ignores(
    interface: &str,
    settings: (i32, i32),
    standing: &Standing,
    site: Site<'_>,
    tell: impl FnOnce(Cause, String) -> Diagnosis,
) -> Option<Diagnosis> {
    let matter = whole::ignored(interface, "", settings)?;
    let missed = Missed::new(interface, Some(standing), 0);
    let summary = format!("{}.{}", matter.why, missed.text);
    let mut diagnosis = tell(matter.cause, summary);
    diagnosis.severity = missed.severity(false);
    for (name, value) in matter.evidence {
        diagnosis = diagnosis.with(name, value);
    }
    diagnosis = missed.evidence(diagnosis);
    let remedies = matter.remedies.into_iter();
    Some(remedies.fold(diagnosis, |diagnosis, remedy| {
        diagnosis.fix(remedy.fix(interface, site))
    }))
}
