//! `v6trace top`: diagnoses on the screen while they happen, or of recordings.
//!
//! ```text
//! Report -> Keeper (a Render) -> State <- Input: keys, sizes, signals
//!                                  |
//!                                  |-> view -> Screen, the terminal
//!                                  \-> Wish: end, copy, write
//! ```
//!
//! [`State`] is a function of what it was given: it knows neither the terminal nor a clock,
//! so tests give it keys and look at what is drawn. What the session has named is escaped
//! where it is decoded, and no control character of it is drawn in any case.

mod detail;
mod input;
mod keeper;
mod kept;
mod keys;
mod screen;
mod seen;
mod state;
mod view;
mod wanted;

#[cfg(test)]
mod tests;

pub(crate) use input::{Input, keys as listen_to_keys, signals as listen_to_signals};
pub(crate) use keeper::Keeper;
pub(crate) use screen::Screen;
pub(crate) use state::{State, Wish};
