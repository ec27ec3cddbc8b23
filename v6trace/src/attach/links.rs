//! What holds the programs at their functions.

use std::thread;

use aya::programs::{
    Program, ProgramError, fentry::FEntryLink, fexit::FExitLink, kprobe::KProbeLink,
    raw_trace_point::RawTracePointLink,
};

/// A program at a function, for as long as this lives.
#[expect(dead_code, reason = "held for what their drop does")]
pub(super) enum Link {
    KProbe(KProbeLink),
    FEntry(FEntryLink),
    FExit(FExitLink),
    RawTracePoint(RawTracePointLink),
}

/// How the functions begin that tracepoints call.
const OF_TRACEPOINT: &str = "__traceiter_";

impl Link {
    /// Attaches a loaded program; `None` where it is of a kind that is not
    /// attached to functions.
    pub(super) fn attach(
        program: &mut Program,
        function: &str,
    ) -> Result<Option<Self>, ProgramError> {
        Ok(match program {
            Program::KProbe(program) => {
                let link = program.attach(function, 0)?;
                Some(Self::KProbe(program.take_link(link)?))
            }
            Program::FEntry(program) => {
                let link = program.attach()?;
                Some(Self::FEntry(program.take_link(link)?))
            }
            Program::FExit(program) => {
                let link = program.attach()?;
                Some(Self::FExit(program.take_link(link)?))
            }
            Program::RawTracePoint(program) => {
                let tracepoint = function.strip_prefix(OF_TRACEPOINT).unwrap_or(function);
                let link = program.attach(tracepoint)?;
                Some(Self::RawTracePoint(program.take_link(link)?))
            }
            _ => None,
        })
    }
}

/// Every program that is attached.
#[derive(Default)]
pub struct Links {
    /// Those to go last: entries, as a rule.
    pub(super) outer: Vec<Link>,
    /// Those to go first: returns, as a rule.
    pub(super) inner: Vec<Link>,
}

impl Links {
    /// Whether there is one by trampoline.
    pub(super) fn have_trampolines(&self) -> bool {
        let all = self.outer.iter().chain(&self.inner);
        all.into_iter()
            .any(|link| matches!(link, Link::FEntry(_) | Link::FExit(_)))
    }

    /// Detaches so that no program is left that relies on one that is gone.
    pub fn detach(self) {
        drop_together(self.inner);
        drop_together(self.outer);
    }
}

/// Drops all at once: the kernel waits at each until nobody runs it any more,
/// and most of that for several at the same time.
fn drop_together(links: Vec<Link>) {
    thread::scope(|scope| {
        for link in links {
            // Without another thread the link is dropped here.
            let _ = thread::Builder::new().spawn_scoped(scope, move || drop(link));
        }
    });
}
