//! Options of the commands that trace, and how they begin: attach, and look at the host
//! meanwhile.

use std::time::Duration;

use clap::Args;

use super::{quantities, trace_options::TraceOptions};
use crate::{
    attach::{self, Attached},
    check, live,
    privilege::kept::{self, Files},
    record::{Record, SessionInfo},
};

/// What to trace, how long, and how much may wait.
#[derive(Args, Debug)]
pub(super) struct LiveOptions {
    #[command(flatten)]
    pub(super) trace: TraceOptions,
    /// Stop after this time: seconds, or a span such as 5m
    #[arg(long, value_name = "TIME", value_parser = quantities::duration)]
    pub(super) duration: Option<Duration>,
    /// Size of the buffer between kernel and v6trace, for each CPU
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = quantities::size)]
    buffer_size: usize,
}

/// Tracing that has begun.
pub(super) struct Begun {
    pub(super) attached: Attached,
    /// What the host was like.
    pub(super) host: Vec<Record>,
    buffers: live::Buffers,
}

impl LiveOptions {
    /// Attaches; `events` where all are wanted, `follows` where processes are followed.
    ///
    /// # Errors
    /// Nothing can be traced here.
    pub(super) fn begin(&self, events: bool, follows: bool) -> anyhow::Result<Begun> {
        let options = self.trace.attach(events, follows);
        let open = |loaded: &mut attach::Loaded<'_>| {
            // Of a single command, the state of the host is not what is asked about.
            let looks = !follows;
            let host = looks.then(|| check::look::begin(loaded.memberships()));
            Ok((host, live::Buffers::open(loaded.ebpf, self.buffer_size)?))
        };
        let (attached, (host, buffers)) = attach::attach(&options, open)?;
        Ok(Begun {
            attached,
            host: host.map(check::look::Looking::end).unwrap_or_default(),
            buffers,
        })
    }
}

impl Begun {
    /// What reads it.
    ///
    /// # Errors
    /// The observer cannot start.
    pub(super) fn into_live(self) -> anyhow::Result<(live::Live, SessionInfo)> {
        live::Live::new(self.attached, self.buffers, self.host)
    }
}

/// Keeps what look-ups and such files take: ahead of the first thread that stays, for each
/// has its own.
pub(super) fn give_up_rights(files: Files) {
    if let Err(error) = kept::only_for_lookups(files) {
        log::warn!("rights that are of no more use cannot be given up: {error}");
    }
}
