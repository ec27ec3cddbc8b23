//! That a pause is over after which the end of what is told as one does not come
//! ([`Quiet`]), for records of which none follow.

use crate::{record::Quiet, together::PAUSE_NS};

/// How long the newest part is ago. Whether its end has come is no matter: then nothing
/// waits for it.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// When that came, nanoseconds since boot; none since the last pause.
    newest_ns: Option<u64>,
}

impl Pause {
    /// A part came.
    pub(super) fn part(&mut self, boot_ns: u64) {
        self.newest_ns = Some(boot_ns);
    }

    /// Whether it is over, where all that happened through `through_ns` was handed over.
    pub(super) fn over(&mut self, through_ns: u64) -> Option<Quiet> {
        let is_over = |newest: &mut u64| newest.saturating_add(PAUSE_NS) < through_ns;
        self.newest_ns.take_if(is_over).map(|_| Quiet {
            boot_ns: through_ns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_once_after_the_newest_part() {
        let mut pause = Pause::default();
        assert_eq!(pause.over(u64::MAX), None);
        pause.part(10);
        pause.part(20);
        assert_eq!(pause.over(20 + PAUSE_NS), None);
        let boot_ns = 21 + PAUSE_NS;
        assert_eq!(pause.over(boot_ns), Some(Quiet { boot_ns }));
        assert_eq!(pause.over(u64::MAX), None);
    }
}
