//! Which occurrences the user wants to see.
//!
//! A filter looks at the stream alone, so that it means the same live and
//! later.

use crate::{
    container::Container,
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
    /// Only of this container, by a name or an id of it ([`Container::is_called`]).
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
    /// Whether the event is one that the user wants to see.
    pub fn admits(&self, event: &Event, session: &Session) -> bool {
        let task = event.culprit();
        self.admits_task(task)
            && self.admits_container(session.container(task, event.netns))
            && self
                .interface
                .as_deref()
                .is_none_or(|name| event.occurrence().concerns(name))
            && self.admits_netns(event.netns, session)
    }

    /// Whether what was found in the state of the host is.
    pub fn admits_finding(&self, finding: &Diagnosis, session: &Session) -> bool {
        self.admits_task(finding.task.as_ref())
            && self.admits_container(finding.container.as_ref())
            && (self.interface.is_none() || self.interface == finding.interface)
            && (self.families.is_empty()
                || finding
                    .cause
                    .family()
                    .is_some_and(|family| self.families.contains(&family)))
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

    fn admits_container(&self, container: Option<&Container>) -> bool {
        self.container
            .as_ref()
            .is_none_or(|wanted| container.is_some_and(|container| container.is_called(wanted)))
    }

    fn admits_netns(&self, netns: u32, session: &Session) -> bool {
        self.netns.as_ref().is_none_or(|wanted| match wanted {
            NetnsFilter::Inode(inode) => netns == *inode,
            NetnsFilter::Name(name) => session.namespace_name(netns) == Some(name),
        })
    }
}
