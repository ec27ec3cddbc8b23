//! What was seen → why it failed.
//!
//! Each family of failures has a file with one pure function: from a decoded
//! event, and what the [`Session`] has learnt from the records before it, to a
//! [`Diagnosis`]. A cause is named only where the values decide it.

mod advice;
mod anycast;
mod dad;
pub mod diagnosis;
mod forwarding;
mod multicast_join;
mod set_token;
mod source_selection;

pub(crate) use advice::{quoted, set_interface_sysctl};
pub use diagnosis::{Confidence, Diagnosis, Evidence, Fix, Value};

use crate::{
    decode::{Event, Payload},
    session::Session,
};

/// Explains `event`, if it is a failure or a hazard.
pub fn diagnose(event: &Event, session: &Session) -> Option<Diagnosis> {
    match &event.payload {
        Payload::MulticastJoin(join) => multicast_join::diagnose(event, join, session),
        Payload::SetToken(request) => set_token::diagnose(event, request, session),
        Payload::SourceSelection(selection) => {
            source_selection::diagnose(event, selection, session)
        }
        Payload::AnycastChange(change) => anycast::diagnose(event, change, session),
        Payload::DefaultRoutesPurged(purged) => forwarding::diagnose(event, purged, session),
        Payload::DadFailure(failure) => Some(dad::failure(event, failure, session)),
        Payload::DadReflection(reflection) => Some(dad::reflection(event, reflection, session)),
    }
}
