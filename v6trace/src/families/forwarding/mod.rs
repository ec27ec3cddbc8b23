//! What a write of a forwarding sysctl takes away.

mod causes;
mod decode;
mod explain;

use super::{Occurrence, anycast::Written};
use crate::{
    explain::{Diagnosis, Subject},
    field::{Field, Take},
};

pub use causes::Cause;
pub use decode::{DefaultRoutesPurged, PurgedRoute};

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
