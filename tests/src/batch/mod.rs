//! Several scenarios that share their tracers, for starting and stopping v6trace is
//! most of what a scenario takes.
//!
//! Each is a process of its own, and one of them goes on at a time: until it ends or
//! asks for a session ([`crate::guest::Tracing`]). When none is left that does
//! neither, v6trace is started. Now each in its turn lets something fail, until it
//! asks for the report. When all have, v6trace is ended, its replay compared, and
//! each goes on with the report; and so on until the last has ended.

mod member;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::guest::{Answer, Ask, Finished, Tracer, watch};
use crate::scenarios::Placed;
use member::Member;

/// Runs these scenarios, which have the same families watched, and prints what
/// became of each in the guest's protocol. The status is the number of failures.
pub(crate) fn run(scenarios: Vec<Placed>) -> Result<ExitCode> {
    ensure!(!scenarios.is_empty(), "no scenarios");
    watch(scenarios[0].watched);
    let mut members = Vec::new();
    for (number, placed) in (1..).zip(&scenarios) {
        let mut member = Member::start(placed.scenario.name, number)?;
        member.go_on()?;
        members.push(member);
    }
    while members.iter().any(|member| member.asks(Ask::Start)) {
        trace(&mut members)?;
    }
    let mut failed = 0;
    for member in members {
        failed += u8::from(!member.tell()?);
    }
    Ok(ExitCode::from(failed))
}

/// One session, for those who have asked for one.
fn trace(members: &mut [Member]) -> Result<()> {
    let begun = Tracer::start(&[]);
    let waiting = members.iter_mut().filter(|member| member.asks(Ask::Start));
    for member in waiting {
        member.answer(&match &begun {
            Ok(_) => Answer::Ready,
            Err(error) => Answer::Failed(format!("{error:?}")),
        })?;
    }
    let answer = match begun.and_then(Tracer::finish_stream) {
        Ok(Finished { stdout, stderr, .. }) => Answer::Ended { stdout, stderr },
        Err(error) => Answer::Failed(format!("{error:?}")),
    };
    for member in members.iter_mut().filter(|member| member.asks(Ask::Finish)) {
        member.answer(&answer)?;
    }
    Ok(())
}
