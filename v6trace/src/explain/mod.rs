//! What was seen → why it failed.
//!
//! Each family of failures has a pure function: from a decoded event, and what
//! the [`Session`] has learnt from the records before it, to a [`Diagnosis`].
//! Here is what these functions have in common. A cause is named only where the
//! values decide it.

pub(crate) mod advice;
pub mod diagnosis;
mod subject;

#[cfg(feature = "live")]
pub(crate) use advice::set_interface_sysctl;
pub(crate) use advice::{IPV6_MIN_MTU, named, quoted, seconds_before};
pub use diagnosis::{Confidence, Diagnosis, Evidence, Fix, Value};
pub(crate) use subject::Site;
pub use subject::Subject;

use crate::{event::Event, session::Session};

/// Explains `event`: nothing, unless it is a failure, a hazard or worth a notice.
pub fn explain(event: &Event, session: &Session) -> Vec<Diagnosis> {
    let subject = Subject { event, session };
    let explained = event.payload.occurrence().explain_each(subject);
    let belonging = |diagnosis: Diagnosis| diagnosis.belonging(session);
    explained.into_iter().map(belonging).collect()
}
