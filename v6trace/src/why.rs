//! The answer to why a command failed, when it has ended: of all diagnoses those of the
//! processes that are followed, and what the kernel did of itself to what they touched, in
//! the order of how much they decide.
//!
//! ```text
//! diagnoses of a followed process ---------+-> what another family explains of a call is
//! what its system calls came to -----------/   the answer, and not that the call failed;
//!                                              what went well later, made alike, was got over
//! the kernel function that failed first -----> is added to what is likely only
//! diagnoses of nobody --> at the end: did a followed process touch it?
//! ```

use std::{mem, net::IpAddr};

use crate::{
    catalogue::{Cause, Severity},
    errno::Errno,
    event::{Event, Task},
    explain::Diagnosis,
    families::{
        Payload,
        process::{self, Followed, Innermost, SystemCall},
    },
};

/// Diagnoses of which the answer is made at most, of each sort: a command may try for weeks.
const MOST: usize = 256;

/// For how long a call may turn out to be what a diagnosis came of: it returns later.
const RECENT_NS: u64 = 2_000_000_000;

/// Diagnoses that wait for the end.
#[derive(Debug, Default)]
pub struct Answer {
    done: Vec<Done>,
    /// What nobody did, with the host that a packet was on its way to.
    of_nobody: Vec<(Diagnosis, Option<IpAddr>)>,
    /// How many there was no room for.
    dropped: u64,
}

/// What a followed process met.
#[derive(Debug)]
struct Done {
    diagnosis: Diagnosis,
    /// The call that failed with it, where that is known.
    call: Option<SystemCall>,
    /// Whether the like of that went well later.
    got_over: bool,
}

impl Answer {
    /// Takes an event of a followed process or of nobody, and what is said of it.
    pub fn take(&mut self, event: &Event, diagnoses: Vec<Diagnosis>, followed: &Followed) {
        let Some(task) = event.culprit() else {
            let host = event.occurrence().host();
            for diagnosis in diagnoses {
                self.keep_of_nobody(diagnosis, host, followed);
            }
            return;
        };
        let innermost = followed.innermost(event);
        match &event.payload {
            Payload::SystemCall(call) => self.call(event, task, call, diagnoses, innermost),
            Payload::RequestRefused(_) => {
                for diagnosis in diagnoses {
                    self.keep(told(diagnosis, innermost), None);
                }
            }
            _ => {
                for diagnosis in diagnoses {
                    self.keep(diagnosis, None);
                }
            }
        }
    }

    /// Keeps what nobody did; of much of it, as on a busy host, what comes of followed
    /// processes, and what may yet turn out to.
    fn keep_of_nobody(&mut self, diagnosis: Diagnosis, host: Option<IpAddr>, followed: &Followed) {
        if self
            .of_nobody
            .iter()
            .any(|(other, _)| is_same(other, &diagnosis))
        {
            return;
        }
        if self.of_nobody.len() == MOST {
            let recent_ns = diagnosis.boot_ns.saturating_sub(RECENT_NS);
            self.of_nobody
                .retain(|(other, host)| other.boot_ns > recent_ns || followed.caused(other, *host));
        }
        if self.of_nobody.len() < MOST {
            self.of_nobody.push((diagnosis, host));
        } else {
            self.dropped += 1;
        }
    }

    /// Takes a system call.
    fn call(
        &mut self,
        event: &Event,
        task: &Task,
        call: &SystemCall,
        diagnoses: Vec<Diagnosis>,
        innermost: Option<&Innermost>,
    ) {
        let failed = call.errno.is_some();
        if !failed && !call.went_well() {
            return;
        }
        for done in &mut self.done {
            let is_its = done.diagnosis.task.as_ref().map(|task| task.pid) == Some(task.pid);
            if is_its && done.call.as_ref().is_some_and(|of| of.is_like(call)) {
                done.got_over = !failed;
            }
        }
        if !failed {
            return;
        }
        // The newest first: what a family says of a call it says ahead of its return.
        let explained = self
            .done
            .iter_mut()
            .rev()
            .find(|done| explains(done, event, task, call));
        if let Some(done) = explained {
            done.call = Some(call.clone());
            if let Some(innermost) = innermost {
                innermost.add_to(&mut done.diagnosis);
            }
            return;
        }
        for diagnosis in diagnoses {
            self.keep(told(diagnosis, innermost), Some(call.clone()));
        }
    }

    /// Keeps it; where there is no room, instead of what decides the least.
    fn keep(&mut self, diagnosis: Diagnosis, call: Option<SystemCall>) {
        let mut done = self.done.iter();
        let known = done.any(|done| is_same(&done.diagnosis, &diagnosis));
        if known {
            return;
        }
        let done = Done {
            diagnosis,
            call,
            got_over: false,
        };
        if self.done.len() < MOST {
            self.done.push(done);
            return;
        }
        self.dropped += 1;
        let least = self.done.iter_mut().max_by_key(|done| done.rank());
        if let Some(least) = least.filter(|least| done.rank() < least.rank()) {
            *least = done;
        }
    }

    /// How many there was no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The answer, most decisive first. What is worth a notice at most is none where the
    /// process got over it, or the command ended well; nor is then a call that it made again.
    pub fn give(&mut self, followed: &Followed) -> Vec<Diagnosis> {
        let mut done = mem::take(&mut self.done);
        let mut caused = mem::take(&mut self.of_nobody);
        caused.retain(|(diagnosis, host)| {
            // On an interface that was changed much is worth a notice that does not come of
            // that, such as that no router answers.
            let may_be = host.is_some() || diagnosis.severity != Severity::Notice;
            may_be && followed.caused(diagnosis, *host)
        });
        done.retain(|done| !caused.iter().any(|(of, host)| done.comes_of(of, *host)));
        done.extend(caused.into_iter().map(|(diagnosis, _)| Done {
            diagnosis,
            call: None,
            got_over: false,
        }));
        let ended_well = followed.ended_well();
        done.retain(|done| {
            let is_notice = done.diagnosis.severity == Severity::Notice;
            let is_news = !(done.got_over && (is_notice || ended_well && done.is_call()));
            is_news && !(ended_well && is_notice)
        });
        done.sort_by_key(Done::rank);
        done.into_iter().map(Done::told).collect()
    }
}

impl Done {
    /// Whether all that is known is the errno of a call.
    fn is_call(&self) -> bool {
        self.diagnosis.cause == Cause::from(process::Cause::CallFailed)
    }

    /// Whether it is that call which was told of a host that does not answer.
    fn comes_of(&self, silent: &Diagnosis, host: Option<IpAddr>) -> bool {
        let Diagnosis {
            errno,
            netns,
            address,
            ..
        } = &self.diagnosis;
        let is_host = host.is_some() && (address.is_none() || *address == host);
        self.is_call() && is_host && *netns == silent.netns && *errno == Some(Errno::EHOSTUNREACH)
    }

    /// The less, the more it decides.
    fn rank(&self) -> (bool, u8, bool, u64) {
        let severity = match self.diagnosis.severity {
            Severity::Failure => 0,
            Severity::Hazard => 1,
            Severity::Notice => 2,
        };
        let is_likely = self.diagnosis.is_likely();
        (self.got_over, severity, is_likely, self.diagnosis.boot_ns)
    }

    fn told(self) -> Diagnosis {
        if !self.got_over {
            return self.diagnosis;
        }
        let mut diagnosis = self.diagnosis.with("got_over", true);
        diagnosis.summary += " The process got over it: a later call like it went well.";
        diagnosis
    }
}

/// What is said of something, with the function that was the first to fail.
fn told(mut diagnosis: Diagnosis, innermost: Option<&Innermost>) -> Diagnosis {
    if let Some(innermost) = innermost {
        innermost.add_to(&mut diagnosis);
    }
    diagnosis
}

/// Whether what a family said is why this call failed.
fn explains(done: &Done, event: &Event, task: &Task, call: &SystemCall) -> bool {
    let diagnosis = &done.diagnosis;
    if diagnosis.errno != call.errno || !call.call.makes(diagnosis.operation) {
        return false;
    }
    let by = diagnosis.task.as_ref();
    let same_thread = by.is_some_and(|by| by.tid == task.tid);
    let same_name = by.is_some_and(|by| by.comm == task.comm);
    // The group that an option is about is not where its socket is connected to.
    let hosts = diagnosis.address.zip(call.host());
    let hosts = hosts.filter(|_| call.option.is_none());
    if let Some((of, host)) = hosts {
        // Families tell of a program's failures once: those of others of its name are the same.
        return of == host && (same_thread || same_name);
    }
    let is_recent = event.boot_ns.saturating_sub(diagnosis.boot_ns) <= RECENT_NS;
    let is_free = match &done.call {
        None => is_recent,
        Some(of) => call.option.is_some() && of.option == call.option,
    };
    same_thread && is_free
}

/// Whether two say the same but for when, and for values that went on changing.
fn is_same(one: &Diagnosis, other: &Diagnosis) -> bool {
    let process = |diagnosis: &Diagnosis| diagnosis.task.as_ref().map(|task| task.pid);
    let about = |diagnosis: &Diagnosis| {
        (
            diagnosis.cause,
            diagnosis.severity,
            diagnosis.operation,
            diagnosis.errno,
            diagnosis.netns,
            diagnosis.ifindex,
            diagnosis.address,
        )
    };
    process(one) == process(other) && about(one) == about(other)
}
