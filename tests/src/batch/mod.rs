//! Several scenarios that share their tracers, for starting and stopping v6trace is
//! most of what a scenario takes.
//!
//! Each is a process of its own, and one of them goes on at a time: until it ends or
//! asks for a tracer ([`crate::guest::Tracing`]). When none is left that does neither,
//! v6trace is started. Now each in its turn lets something fail, until it asks for the
//! report. When all have, v6trace is ended, its replay compared, and each goes on with
//! the report; and so on until the last has ended.

mod member;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};

use crate::guest::{Answer, Diagnosis, Finished, OptmemMax, Report, Tracer, is_of, watch};
use crate::scenarios::Placed;
use member::Member;

/// Runs these scenarios, which have the same families watched, and prints what
/// became of each in the guest's protocol. The status is the number of failures.
pub(crate) fn run(scenarios: &[Placed]) -> Result<ExitCode> {
    ensure!(!scenarios.is_empty(), "no scenarios");
    watch(scenarios[0].watched);
    let optmem_max = OptmemMax::host()?;
    let mut failed = 0;
    let mut going = Vec::new();
    for (number, placed) in (1..).zip(scenarios) {
        going.push(Member::start(placed.scenario.name, number)?);
        failed += leave(&mut going, optmem_max)?;
    }
    while !going.is_empty() {
        trace(&mut going)?;
        failed += leave(&mut going, optmem_max)?;
    }
    Ok(ExitCode::from(failed))
}

/// Takes away those that have ended: how many of them failed.
fn leave(going: &mut Vec<Member>, optmem_max: u64) -> Result<u8> {
    let ended = going.extract_if(.., |member| member.passed().is_some());
    let failed = ended.filter(|member| member.passed() == Some(false));
    let failed = u8::try_from(failed.count())?;
    if failed > 0 {
        // One that passed has restored what it changed.
        OptmemMax::restore_host(optmem_max)?;
    }
    Ok(failed)
}

/// One session, for all who wait for one.
fn trace(going: &mut [Member]) -> Result<()> {
    let begun = Tracer::start(&[]);
    for member in going.iter_mut() {
        member.answer(&match &begun {
            Ok(_) => Answer::Ready,
            Err(error) => Answer::Failed(format!("{error:?}")),
        })?;
    }
    let ended = begun.and_then(Tracer::finish_stream).and_then(|stream| {
        of_somebody(&stream, going)?;
        Ok(stream)
    });
    let answer = match ended {
        Ok(Finished { stdout, stderr, .. }) => Answer::Ended { stdout, stderr },
        Err(error) => Answer::Failed(format!("{error:?}")),
    };
    let mut waiting = going.iter_mut().filter(|member| member.wants_report());
    waiting.try_for_each(|member| member.answer(&answer))
}

/// Checks that each diagnosis is about a namespace of somebody's: each looks at its
/// own only, and what is said of others would go unseen.
fn of_somebody(stream: &Finished, going: &[Member]) -> Result<()> {
    let report = Report::parse(stream.clone())?;
    // Who has ended meanwhile has failed, and does not say what was its own.
    let all_tell = going.iter().all(Member::wants_report);
    let own: Vec<&BTreeMap<u64, u64>> = going.iter().filter_map(Member::own).collect();
    let of_nobody = |diagnosis: &&Diagnosis| !own.iter().any(|own| is_of(own, diagnosis));
    let stray = report.diagnoses.iter().find(of_nobody);
    match stray.filter(|_| all_tell) {
        Some(stray) => bail!("about no namespace of these scenarios: {stray}"),
        None => Ok(()),
    }
}
