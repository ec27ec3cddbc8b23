//! How programs are declared.

/// Makes programs of a function of their context, which is generic where
/// programs of more than one kind have it:
///
/// ```text
/// enter: kprobe NAME, fentry NAME;
/// leave: kretprobe NAME, fexit NAME;
/// ```
macro_rules! programs {
    ($($body:ident: $($kind:ident $name:ident),+;)+) => {
        $($($crate::programs::program! { $kind $name $body })+)+
    };
}

/// One of them.
macro_rules! program {
    (kprobe $name:ident $body:ident) => {
        #[aya_ebpf::macros::kprobe]
        fn $name(ctx: aya_ebpf::programs::ProbeContext) -> u32 {
            let _ = $body(&ctx);
            0
        }
    };
    (raw_tracepoint $name:ident $body:ident) => {
        #[aya_ebpf::macros::raw_tracepoint]
        fn $name(ctx: aya_ebpf::programs::RawTracePointContext) -> i32 {
            let _ = $body(&ctx);
            0
        }
    };
    (kretprobe $name:ident $body:ident) => {
        #[aya_ebpf::macros::kretprobe]
        fn $name(ctx: aya_ebpf::programs::RetProbeContext) -> u32 {
            let _ = $body(&ctx);
            0
        }
    };
    (fentry $name:ident $body:ident) => {
        #[aya_ebpf::macros::fentry]
        fn $name(ctx: aya_ebpf::programs::FEntryContext) -> i32 {
            let _ = $body(&ctx);
            0
        }
    };
    (fexit $name:ident $body:ident) => {
        #[aya_ebpf::macros::fexit]
        fn $name(ctx: aya_ebpf::programs::FExitContext) -> i32 {
            let _ = $body(&ctx);
            0
        }
    };
}

pub(crate) use {program, programs};
