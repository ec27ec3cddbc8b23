//! When the reader looks into the buffers.
//!
//! ```text
//! Awake   --nothing was there-->  Dozing  --nor since-->  Asleep
//!   ^                               |                       |
//!   \------ anything, or the bell --+-----------------------/
//! ```
//!
//! While anything happens it looks every [`LOOK`], and nobody is woken for a
//! record. Looking forever would wake an idle machine forty times a second for
//! nothing, and take three times the processor (`docs/performance.md`). So, once
//! nothing is there, the kernel side is asked to ring the bell
//! at the next record, whichever CPU has it. A program that was past asking by
//! then puts its record into its buffer without ringing; it is not interrupted
//! for so long as until the look after that.

use std::time::Duration;

/// How often the reader looks while anything happens.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// How the reader waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pace {
    /// Until the next look.
    #[default]
    Awake,
    /// Likewise, but the bell rings for the next record.
    Dozing,
    /// For the bell.
    Asleep,
}

impl Pace {
    /// How it waits after a look; `any` says whether there is anything to do.
    pub(super) fn after(self, any: bool) -> Self {
        match self {
            _ if any => Self::Awake,
            Self::Awake => Self::Dozing,
            Self::Dozing | Self::Asleep => Self::Asleep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Pace::*};

    #[test]
    fn the_bell_is_asked_for_before_the_last_look() {
        let mut pace = Pace::default();
        let looks = [true, false, false, false, true, false, true];
        let paces = looks.map(|any| {
            pace = pace.after(any);
            pace
        });
        assert_eq!(paces, [Awake, Dozing, Asleep, Asleep, Awake, Dozing, Awake]);
    }
}
