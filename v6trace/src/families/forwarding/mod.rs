//! What a write of a forwarding sysctl takes away.

mod causes;
mod decode;
mod explain;
mod together;

use v6trace_common::{Hook, families::forwarding as wire};

use super::{Occurrence, Whole, anycast::Written};
use crate::{
    explain::{Diagnosis, Subject},
    field::{Field, Take},
};

pub use causes::Cause;
pub use decode::{DefaultRoutesPurged, ForwardingWritten, PurgedRoute};

impl Occurrence for DefaultRoutesPurged {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        self.interface()
            .and(self.routes.first())
            .map(|route| route.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        self.interface()
    }

    fn concerns(&self, interface: &str) -> bool {
        self.concerns(interface)
    }

    fn part_of(&self) -> Option<Hook> {
        self.written.as_ref().map(|_| wire::WRITE)
    }

    fn fields(&self, take: Take<'_>) {
        let written = self.written.as_ref();
        let interfaces = self.routes.iter();
        let interfaces = interfaces.map(|route| route.interface.as_str());
        take("interfaces", Field::List(interfaces.collect()));
        take("count", self.count.into());
        take("written", written.map(Written::name).into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}

impl Occurrence for ForwardingWritten {
    fn is_failure(&self) -> bool {
        false
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        match &self.written {
            Some(Written::Interface(name)) => Some(name),
            Some(Written::All) | None => None,
        }
    }

    fn ends(&self) -> Option<&dyn Whole> {
        Some(self)
    }

    fn fields(&self, take: Take<'_>) {
        let written = self.written.as_ref();
        take("written", written.map(Written::name).into());
        take("routers", self.routers.into());
        take("deaf", self.deaf.into());
        take("hosts", self.hosts.into());
        take("hearing", self.hearing.into());
        take("anycast", self.anycast.into());
        take("purged", self.purged.into());
    }

    fn explain(&self, _subject: Subject<'_>) -> Option<Diagnosis> {
        None
    }
}

impl Whole for ForwardingWritten {
    fn began_ns(&self) -> u64 {
        self.began_ns
    }

    fn together(&self, subject: Subject<'_>, parts: Vec<Diagnosis>) -> Diagnosis {
        together::together(self, subject, parts)
    }
}
