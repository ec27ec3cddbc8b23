//! Which occurrences the user wants to see.
//!
//! A filter looks at the stream alone, so that it means the same live and
//! later.

use crate::{event::Event, session::Session};

/// What must hold for an occurrence to be shown; an empty filter shows all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this process.
    pub pid: Option<u32>,
    /// Only of tasks with this name.
    pub comm: Option<String>,
    /// Only in this network namespace.
    pub netns: Option<NetnsFilter>,
    /// Only what may concern the interface with this name.
    pub interface: Option<String>,
}

/// How the user named a network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetnsFilter {
    /// By its inode number.
    Inode(u32),
    /// By its name under `/run/netns`, whichever namespace has it at the time.
    Name(String),
}

impl Filter {
    /// Whether the event is one that the user wants to see.
    pub fn admits(&self, event: &Event, session: &Session) -> bool {
        let task = event.culprit();
        self.pid
            .is_none_or(|pid| task.is_some_and(|task| task.pid == pid))
            && self
                .comm
                .as_ref()
                .is_none_or(|comm| task.is_some_and(|task| task.comm == *comm))
            && self
                .interface
                .as_deref()
                .is_none_or(|name| event.occurrence().concerns(name))
            && self.netns.as_ref().is_none_or(|netns| match netns {
                NetnsFilter::Inode(inode) => event.netns == *inode,
                NetnsFilter::Name(name) => session.namespace_name(event.netns) == Some(name),
            })
    }
}
