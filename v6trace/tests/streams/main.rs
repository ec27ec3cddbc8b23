//! A stream of records → the text and JSON that a user reads, without a kernel.
//!
//! The guest scenarios prove that real kernels give such records; these tests
//! hold what only a made-up stream can: values that no guest produces on
//! demand, and records that are damaged.

mod address;
mod advertisement;
mod bind;
mod check;
mod commands;
mod dad;
mod document;
mod fold;
mod forwarding;
mod gone;
mod joins;
mod neighbour;
mod option;
mod outgoing;
mod process;
mod request;
mod route;
#[path = "../schema/mod.rs"]
mod schema;
mod set_token;
mod source_selection;
mod stream;
mod sysctl;
mod transit;
