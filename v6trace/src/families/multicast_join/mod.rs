//! Joins of multicast groups on sockets.

mod causes;
mod decode;
mod explain;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use causes::Cause;
pub use decode::{Charge, Inet6State, Interface, Memberships, MulticastJoin, Socket};
pub(crate) use explain::{about_memberships, raise_limit};

impl Occurrence for MulticastJoin {
    fn is_failure(&self) -> bool {
        self.errno.is_some()
    }

    fn ifindex(&self) -> Option<u32> {
        Some(self.requested_ifindex).filter(|&ifindex| ifindex != 0)
    }

    fn interface(&self) -> Option<&str> {
        self.interface()
    }

    fn fields(&self, take: Take<'_>) {
        take("group", shown(&self.group));
        take("requested_ifindex", self.requested_ifindex.into());
        take("interface", self.interface().into());
        take("errno", text(self.errno.as_ref()));
        take("size", self.charge.size.into());
        take("sk_omem_alloc", self.charge.sk_omem_alloc.into());
        take("optmem_max", self.charge.optmem_max.into());
        take("socket", self.socket.inode.into());
        take("kernel_socket", self.socket.kernel.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}
