//! Which processes are followed, as the stream tells it.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{Innermost, ProcessStarted, open::Open, touched::Touched};
use crate::{event::Event, explain::Diagnosis, families::Payload, record::Finding};

/// Processes that are followed at most: as many as the kernel side has room for.
const MOST: usize = 1 << 14;

/// How long before what failed the function is told that failed first: in the same program.
const WITHIN_NS: u64 = 100_000_000;

/// That processes are followed, as the session begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Following {
    /// When, nanoseconds since boot.
    pub boot_ns: u64,
    /// Name of the command that is run; `None` where a process runs already.
    pub command: Option<String>,
    /// That process and those that descend from it; of a command none yet.
    pub processes: Vec<u32>,
}

impl Finding for Following {}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnded {
    /// When that was noticed, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its exit status.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Finding for CommandEnded {}

/// The processes that are followed.
#[derive(Debug)]
pub struct Followed {
    command: Option<String>,
    processes: HashSet<u32>,
    /// How many there were.
    count: u64,
    touched: Touched,
    open: Open,
    /// What failed first, by thread, until it is told what that was.
    innermost: HashMap<u32, (Innermost, u64)>,
    ended: Option<CommandEnded>,
}

impl Followed {
    /// As the session begins.
    pub(crate) fn begin(following: Following) -> Self {
        let processes: HashSet<u32> = following.processes.into_iter().take(MOST).collect();
        Self {
            command: following.command,
            count: processes.len() as u64,
            processes,
            touched: Touched::default(),
            open: Open::default(),
            innermost: HashMap::new(),
            ended: None,
        }
    }

    /// Learns how the command ended.
    pub(crate) fn end(&mut self, ended: CommandEnded) {
        self.ended = Some(ended);
    }

    /// Remembers an event, for those after it.
    pub(crate) fn remember(&mut self, event: &Event) {
        let thread = event.task.tid;
        match &event.payload {
            Payload::Innermost(innermost) => {
                if self.innermost.len() < MOST {
                    self.innermost
                        .insert(thread, (innermost.clone(), event.boot_ns));
                }
                return;
            }
            Payload::SystemCall(_) | Payload::RequestRefused(_) => {
                self.innermost.remove(&thread);
            }
            _ => {}
        }
        match &event.payload {
            Payload::ProcessStarted(started) => self.started(*started),
            Payload::SystemCall(call) if self.did(event) => {
                self.touched.remember(event, call);
                self.open.remember(event, call);
            }
            _ => {}
        }
    }

    fn started(&mut self, started: ProcessStarted) {
        if !started.is_followed {
            self.processes.remove(&started.process);
        } else if self.processes.len() < MOST {
            self.processes.insert(started.process);
            self.count += 1;
        }
    }

    /// The function that was the first to fail of what an event tells. The kernel side
    /// tells of it right before: what came of an earlier one was lost.
    pub(crate) fn innermost(&self, event: &Event) -> Option<&Innermost> {
        let (innermost, at) = self.innermost.get(&event.task.tid)?;
        (event.boot_ns.saturating_sub(*at) <= WITHIN_NS).then_some(innermost)
    }

    /// Whether one of them did it.
    pub(crate) fn did(&self, event: &Event) -> bool {
        let culprit = event.culprit();
        culprit.is_some_and(|task| self.processes.contains(&task.pid))
    }

    /// Whether what nobody did comes of what one of them did: it is about a host that one
    /// addressed, else about an address or interface that one changed.
    pub(crate) fn caused(&self, diagnosis: &Diagnosis, host: Option<IpAddr>) -> bool {
        match host {
            Some(host) => self.touched.addressed(diagnosis.netns, host),
            None => self.touched.changed(diagnosis),
        }
    }

    /// Until when something may come of what they did, nanoseconds since boot: of what a
    /// command that ended well changed, or of what one that failed sent.
    pub(crate) fn settled_ns(&self, ended_well: bool) -> u64 {
        if ended_well {
            self.touched.settled_ns()
        } else {
            self.open.settled_ns()
        }
    }

    /// What they began without an outcome that was seen.
    pub fn open(&self) -> &Open {
        &self.open
    }

    /// How many processes were followed.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Name of the command, where one was run.
    pub(crate) fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    /// How it ended, where that is known.
    pub(crate) fn ended(&self) -> Option<CommandEnded> {
        self.ended
    }

    /// Whether the command ended well.
    pub(crate) fn ended_well(&self) -> bool {
        self.ended.is_some_and(|ended| ended.status == Some(0))
    }
}
