//! Which occurrences the user wants to see.
//!
//! A filter looks at the stream alone, so that it means the same live and
//! later.

use crate::{
    event::{Event, Task},
    explain::Diagnosis,
    session::Session,
};

/// What must hold for an occurrence to be shown; an empty filter shows all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this process.
    pub pid: Option<u32>,
    /// Only of tasks with this name.
    pub comm: Option<String>,
    /// Only of this container, by a name or an id of it ([`Container::is_called`](crate::container::Container::is_called)).
    pub container: Option<String>,
    /// Only in this network namespace.
    pub netns: Option<NetnsFilter>,
    /// Of a state, only causes of these families; all, where there are none.
    pub families: Vec<&'static str>,
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
    /// What it asks for, in words; nothing where it shows all.
    pub fn asked(&self) -> Option<String> {
        let asked = [
            self.pid.map(|pid| format!("process {pid}")),
            self.comm.as_ref().map(|comm| format!("tasks named {comm}")),
            self.container
                .as_ref()
                .map(|name| format!("container {name}")),
            self.netns.as_ref().map(|netns| match netns {
                NetnsFilter::Inode(inode) => format!("network namespace {inode}"),
                NetnsFilter::Name(name) => format!("network namespace {name}"),
            }),
            self.interface
                .as_ref()
                .map(|name| format!("what may concern {name}")),
        ];
        let asked: Vec<_> = asked.into_iter().flatten().collect();
        (!asked.is_empty()).then(|| asked.join(" with "))
    }

    /// Whether the event is one that the user wants to see.
    pub fn admits(&self, event: &Event, session: &Session) -> bool {
        let task = event.culprit();
        self.admits_task(task)
            && self.admits_container(task, event.netns, session)
            && self
                .interface
                .as_deref()
                .is_none_or(|name| event.occurrence().concerns(name))
            && self.admits_netns(event.netns, session)
    }

    /// Whether what was found in the state of the host is.
    pub fn admits_finding(&self, finding: &Diagnosis, session: &Session) -> bool {
        self.admits_task(finding.task.as_ref())
            && self.admits_container(finding.task.as_ref(), finding.netns, session)
            && (self.interface.is_none() || self.interface == finding.interface)
            && (self.families.is_empty()
                || self
                    .families
                    .iter()
                    .any(|family| finding.cause.is_of(family)))
            && self.admits_netns(finding.netns, session)
    }

    fn admits_task(&self, task: Option<&Task>) -> bool {
        self.pid
            .is_none_or(|pid| task.is_some_and(|task| task.pid == pid))
            && self
                .comm
                .as_ref()
                .is_none_or(|comm| task.is_some_and(|task| task.comm == *comm))
    }

    fn admits_container(&self, task: Option<&Task>, netns: u32, session: &Session) -> bool {
        let wanted = self.container.as_ref();
        wanted.is_none_or(|wanted| session.whose(task, netns).is_called(wanted))
    }

    fn admits_netns(&self, netns: u32, session: &Session) -> bool {
        self.netns.as_ref().is_none_or(|wanted| match wanted {
            NetnsFilter::Inode(inode) => netns == *inode,
            NetnsFilter::Name(name) => session.namespace_name(netns) == Some(name),
        })
    }
}
