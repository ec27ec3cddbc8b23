//! The task `test`: what needs no kernel, then every scenario on every kernel.
//!
//! A kernel's scenarios are dealt out to several guests. Lanes take one guest's
//! share after the other and give it to `runner`, until none is left: so all
//! processors are busy to the end, whichever kernel takes longest. The `checks` go on
//! beside all of that, and beside the building and downloading that guests take.
//! The results come together in `report`, and when what was done in `timeline`.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use anyhow::{Result, anyhow};

use crate::architecture::Architecture;
use crate::checks::{self, Checks, Ready};
use crate::kvm;
use crate::prepare::{self, BootFiles, Request};
use crate::progress;
use crate::qemu::EMULATED;
use crate::report::{self, Report};
use crate::runner::Run;
use crate::selection::{Listed, Selection};
use crate::setup::suites::{self, SUITES};
use crate::timeline::Timeline;
use crate::transcript::Outcome;

/// Scenarios of one guest: few enough that no guest goes on long after the
/// others, many enough that booting is a small part.
const SHARE: usize = 160;

/// What one guest does.
struct Share {
    /// The kernel's place among those that were asked for.
    kernel: usize,
    /// Its own place among the shares of that kernel, from 1.
    number: usize,
    scenarios: Vec<String>,
    /// What its kernel is to be told, if anything.
    boot: Option<String>,
    /// What it boots.
    files: BootFiles,
}

/// What became of a share.
struct Done {
    kernel: usize,
    outcomes: Vec<Outcome>,
    time: Duration,
}

/// Does the checks, and runs the selected scenarios on the kernels that were
/// asked for; without any, on all.
pub(crate) fn task(
    architecture: &'static Architecture,
    wanted: &[String],
    selection: &Selection,
    checks: &Checks,
    refresh: bool,
) -> Result<ExitCode> {
    let requests = requests(wanted)?;
    let mut timeline = Timeline::begin();
    let reports = thread::scope(|scope| {
        let early = scope.spawn(|| checks.before_set_up());
        let prepared = prepare::prepare(architecture, &requests, refresh)?;
        let chosen = selection.choose(architecture, &prepared)?;
        let (binaries, kernels) = (&prepared.binaries, &prepared.kernels);
        let scenarios: Vec<String> = chosen.iter().map(|listed| listed.name.clone()).collect();
        let run = Run {
            binaries,
            hardware: match kernels.iter().flatten().next() {
                Some(files) => kvm::choose(files, binaries),
                None => &EMULATED,
            },
            width: scenarios.iter().map(String::len).max().unwrap_or_default(),
        };
        let shares = Mutex::new(deal(kernels, &chosen)?.into_iter());
        timeline.mark("guests could boot");
        thread::scope(|scope| {
            let lane = || work(&run, &shares);
            let lanes: Vec<_> = (0..lanes()).map(|_| scope.spawn(lane)).collect();
            let mut host = early.join().map_err(panicked)?;
            let ready = Ready::new(&binaries.v6trace, kernels, run.hardware);
            host.extend(checks.after_set_up(&ready));
            if !host.is_empty() {
                timeline.mark("the checks were done");
            }
            let mut done = Vec::new();
            for lane in lanes {
                done.extend(lane.join().map_err(panicked)?);
            }
            timeline.mark("all was done");
            let mut reports = Vec::new();
            if !host.is_empty() {
                reports.push(checks::report(&host));
            }
            reports.extend(by_kernel(&requests, kernels, &scenarios, &done));
            anyhow::Ok(reports)
        })
    })?;
    progress::print(&timeline.table());
    progress::print(&report::table(&reports));
    Ok(match report::totals(&reports) {
        (1.., 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Twice as many as processors: a guest waits every now and then, and the checks wait for
/// downloads and for single threads.
fn lanes() -> usize {
    thread::available_parallelism().map_or(1, usize::from) * 2
}

fn panicked(_: Box<dyn Any + Send>) -> anyhow::Error {
    anyhow!("a thread panicked; its message is above")
}

/// Deals the scenarios out to guests, the batches of those of a kernel that are made alike
/// like cards: what lies together takes about the same time. The largest share comes first.
fn deal(kernels: &[Result<BootFiles>], scenarios: &[Listed]) -> Result<Vec<Share>> {
    let made = |listed: &Listed| (listed.boot.clone(), listed.daemons);
    let kinds: BTreeSet<_> = scenarios.iter().map(made).collect();
    let bootable = kernels.iter().enumerate();
    let bootable = bootable.filter_map(|(kernel, files)| Some((kernel, files.as_ref().ok()?)));
    let mut shares = Vec::new();
    for (kernel, files) in bootable {
        let mut number = 0;
        for kind in &kinds {
            let (boot, daemons) = kind;
            let mut files = files.clone();
            if *daemons {
                prepare::add_daemons(&mut files)?;
            }
            let alike = scenarios.iter().filter(|listed| made(listed) == *kind);
            let alike: Vec<&Listed> = alike.collect();
            let guests = alike.len().div_ceil(SHARE);
            let batches: Vec<&[&Listed]> = alike
                .chunk_by(|one, next| one.batch == next.batch)
                .collect();
            for first in 0..guests {
                number += 1;
                let own = batches.iter().skip(first).step_by(guests);
                let own = own.copied().flatten();
                shares.push(Share {
                    kernel,
                    number,
                    scenarios: own.map(|listed| listed.name.clone()).collect(),
                    boot: boot.clone(),
                    files: files.clone(),
                });
            }
        }
    }
    // A long one that comes last would have the other lanes wait for it.
    shares.sort_by_key(|share| Reverse(share.scenarios.len()));
    Ok(shares)
}

/// Works shares off until none is left.
fn work(run: &Run, shares: &Mutex<IntoIter<Share>>) -> Vec<Done> {
    let mut done = Vec::new();
    loop {
        // Released before the guest boots.
        let taken = shares.lock().ok().and_then(|mut shares| shares.next());
        let Some(share) = taken else { return done };
        let since = Instant::now();
        done.push(Done {
            kernel: share.kernel,
            outcomes: run.share(
                &share.files,
                share.number,
                share.boot.as_deref().unwrap_or_default(),
                &share.scenarios,
            ),
            time: since.elapsed(),
        });
    }
}

/// Puts together what all guests of a kernel did. Without the kernel, or
/// without an outcome, a scenario has failed.
fn by_kernel(
    requests: &[Request],
    kernels: &[Result<BootFiles>],
    scenarios: &[String],
    done: &[Done],
) -> Vec<Report> {
    let all = requests.iter().zip(kernels).enumerate();
    all.map(|(place, (request, files))| {
        let label = match files {
            Ok(files) => files.version.clone(),
            Err(error) => {
                let label = request.suite.label();
                progress::print(&format!("{label}  FAILED  no kernel to boot: {error:#}"));
                label
            }
        };
        let of_it = || done.iter().filter(|done| done.kernel == place);
        let outcomes: Vec<_> = of_it().flat_map(|done| &done.outcomes).collect();
        let time = of_it().map(|done| done.time).sum();
        Report::of(label, scenarios, &outcomes, time)
    })
    .collect()
}

fn requests(wanted: &[String]) -> Result<Vec<Request>> {
    let mut requests: Vec<Request> = Vec::new();
    for version in wanted {
        for suite in suites::suites_for(version)? {
            if requests.iter().all(|request| request.suite != suite) {
                requests.push(Request {
                    suite,
                    version: Some(version.clone()),
                });
            }
        }
    }
    if wanted.is_empty() {
        requests.extend(SUITES.map(|suite| Request {
            suite,
            version: None,
        }));
    }
    Ok(requests)
}
