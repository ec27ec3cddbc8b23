//! What was seen → why it failed.
//!
//! Each family of failures has a file with one pure function: from a decoded
//! event, and what the [`Session`] has learnt from the records before it, to a
//! [`Diagnosis`]. A cause is named only where the values decide it.

mod advice;
mod dad;
pub mod diagnosis;
mod multicast_join;
mod set_token;

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
        Payload::DadFailure(failure) => Some(dad::failure(event, failure, session)),
        Payload::DadReflection(reflection) => Some(dad::reflection(event, reflection, session)),
    }
}
