//! Tracing for as long as something that fails in between, the same for every
//! scenario that wants nothing else of it: so several scenarios may share one.
//!
//! By itself a scenario has a [`Tracer`] of its own. In a batch ([`crate::batch`]) it
//! is told over a socket when one traces, says which network namespaces are its own
//! when it is through, and is given the report when every scenario has had its turn;
//! of that it keeps what is about those.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{Diagnosis, Finished, Report, Tracer, netns, optmem};

/// What happens so soon after a scenario was through with it still counts, in
/// nanoseconds: packets take their time, and a tracer of its own would end no sooner.
const GRACE: u64 = 1_000_000_000;

/// What any place comes to that waits for its turn: its interfaces ask for routers,
/// and go unanswered. Scenarios about that stand alone.
const OF_WAITING: &str = "router-silent";

/// What a scenario asks for.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Ask {
    /// A tracer.
    Start,
    /// What it reported. The scenario's network namespaces, which were there
    /// meanwhile: since when each was, in nanoseconds since boot, by inode number.
    Finish { own: BTreeMap<u64, u64> },
}

/// What a scenario is answered.
#[derive(Deserialize, Serialize)]
pub(crate) enum Answer {
    /// A tracer is ready, and it is this scenario's turn.
    Ready,
    /// The tracer has ended: its stream and its messages.
    Ended { stdout: String, stderr: String },
    /// There is no tracer, or no report.
    Failed(String),
}

/// A scenario's place in its batch.
struct Membership {
    socket: UnixStream,
    /// Its number, which no other has.
    number: u8,
}

/// None: the scenario is by itself.
static MEMBERSHIP: OnceLock<Membership> = OnceLock::new();

/// What v6trace says while `work` is done, of which nothing may be missing.
pub(crate) fn traced(work: impl FnOnce() -> Result<()>) -> Result<Report> {
    let tracer = Tracing::start()?;
    work()?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

/// Has this process be the member `number` of a batch, whose socket is standard input.
pub(crate) fn join_batch(number: u8) -> Result<()> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned();
    let socket = stdin.context("there is no standard input")?.into();
    // What the scenario starts is to read nothing of it.
    let nothing = std::fs::File::open("/dev/null").context("cannot open /dev/null")?;
    rustix::stdio::dup2_stdin(&nothing).context("cannot replace standard input")?;
    // Nobody would answer any more.
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot follow the batch")?;
    MEMBERSHIP.get_or_init(|| Membership { socket, number });
    Ok(())
}

/// The number of this process in its batch, if it is in one.
pub(super) fn number() -> Option<u8> {
    MEMBERSHIP.get().map(|membership| membership.number)
}

/// The same to make what is to be this scenario's own of, MACs say; 0 without a batch.
pub(crate) fn place() -> u8 {
    number().unwrap_or_default()
}

impl Membership {
    /// Asks, and waits for the answer.
    fn ask(&self, ask: &Ask) -> Result<Answer> {
        let line = serde_json::to_string(ask)? + "\n";
        (&self.socket)
            .write_all(line.as_bytes())
            .context("cannot ask the batch")?;
        let mut answer = String::new();
        // One answer to one question: nothing of the next is read ahead.
        BufReader::new(&self.socket)
            .read_line(&mut answer)
            .context("the batch does not answer")?;
        Ok(serde_json::from_str(&answer)?)
    }
}

/// A tracer at work, this scenario's own or the batch's.
#[must_use = "it is to be finished"]
pub(crate) struct Tracing(Kind);

enum Kind {
    Own(Tracer),
    Shared(&'static Membership),
}

impl Tracing {
    /// Begins when v6trace is ready. What is to be there before is there already.
    ///
    /// # Errors
    /// It does not get ready.
    pub(crate) fn start() -> Result<Self> {
        let Some(membership) = MEMBERSHIP.get() else {
            return Tracer::start(&[]).map(Kind::Own).map(Self);
        };
        match optmem::as_before(|| membership.ask(&Ask::Start))? {
            Answer::Ready => {
                netns::keep_traced();
                Ok(Self(Kind::Shared(membership)))
            }
            Answer::Failed(why) => bail!("{why}"),
            Answer::Ended { .. } => bail!("the batch has ended what it did not begin"),
        }
    }

    /// Ends, and gives what was reported of this scenario.
    ///
    /// # Errors
    /// v6trace does not end well, breaks a promise of the stream, or its replay says
    /// something else.
    pub(crate) fn finish(self) -> Result<Report> {
        let membership = match self.0 {
            Kind::Own(tracer) => return tracer.finish(),
            Kind::Shared(membership) => membership,
        };
        let until = since_boot()? + GRACE;
        let own = netns::traced();
        let ask = Ask::Finish { own: own.clone() };
        match optmem::as_before(|| membership.ask(&ask))? {
            Answer::Ended { stdout, stderr } => {
                let mut report = Report::parse(Finished {
                    status: ExitStatus::from_raw(0),
                    stdout,
                    stderr,
                })?;
                report.keep(|diagnosis| {
                    is_of(&own, diagnosis)
                        && value(diagnosis, "boot_ns") <= until
                        && diagnosis.cause() != OF_WAITING
                });
                Ok(report)
            }
            Answer::Failed(why) => bail!("{why}"),
            Answer::Ready => bail!("the batch begins what was to end"),
        }
    }
}

/// Whether a diagnosis is about one of these namespaces.
pub(crate) fn is_of(own: &BTreeMap<u64, u64>, diagnosis: &Diagnosis) -> bool {
    let made = own.get(&value(diagnosis, "netns"));
    // Numbers are given again.
    made.is_some_and(|&made| made <= value(diagnosis, "boot_ns"))
}

fn value(diagnosis: &Diagnosis, field: &str) -> u64 {
    diagnosis.field(field).as_u64().unwrap_or_default()
}

/// The clock of `boot_ns`.
pub(super) fn since_boot() -> Result<u64> {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec)?;
    Ok(seconds * 1_000_000_000 + u64::try_from(now.tv_nsec)?)
}
