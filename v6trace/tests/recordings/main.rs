//! Recordings without a kernel: the golden ones, made on real kernels, replayed,
//! damaged and exported.

mod damage;
mod export;
mod golden;
mod report;
mod round_trip;
#[path = "../schema/mod.rs"]
mod schema;
mod support;
#[cfg(feature = "top")]
mod terminal;
