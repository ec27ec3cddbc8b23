//! Recordings without a kernel: the golden ones, made on real kernels, replayed,
//! damaged and exported.

mod damage;
mod export;
mod golden;
mod support;
