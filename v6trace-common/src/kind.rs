//! The kinds of records, and what is known of each kind's payload.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a record is about; decides the payload that follows its header. The
/// numbers are those that the families' payloads declare.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u16);

/// What follows a record's header.
pub trait Payload: Copy + FromBytes + IntoBytes + Immutable + KnownLayout {
    /// The kind of the records that carry it.
    const KIND: Kind;
}

/// Where a payload, or a part of one, keeps what.
#[derive(Debug)]
pub struct Layout {
    /// The type's name.
    pub name: &'static str,
    /// The kind of the records that carry it; `None` for a part of a payload.
    pub kind: Option<Kind>,
    /// What it is, as its documentation says.
    pub about: &'static str,
    /// Bytes of the whole.
    pub size: usize,
    /// What it holds, in order and without gaps.
    pub fields: &'static [Field],
}

/// One field of a layout.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Bytes ahead of it.
    pub offset: usize,
    /// Bytes of it.
    pub size: usize,
    /// Its Rust type.
    pub r#type: &'static str,
    /// What it holds, as its documentation says.
    pub about: &'static str,
}

/// The values that one field may have, or whose bits it may set.
#[derive(Debug)]
pub struct Constants {
    /// The name of the field.
    pub of: &'static str,
    /// The values.
    pub values: &'static [Constant],
}

/// One of these values.
#[derive(Debug)]
pub struct Constant {
    /// Its name.
    pub name: &'static str,
    /// The number.
    pub value: u32,
    /// What it means, as its documentation says.
    pub about: &'static str,
}

/// Declares a type that crosses from the kernel side to userspace, with its
/// layout for the documents: a payload where it has a kind.
macro_rules! layout {
    (@kind) => { None };
    (@kind $kind:literal) => { Some($crate::Kind($kind)) };
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident: $(kind $kind:literal,)? $size:literal bytes {
            $( $(#[doc = $doc:literal])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[doc = $about])*
        #[repr(C)]
        #[derive(
            Clone,
            Copy,
            Debug,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
        )]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        const _: () = assert!(size_of::<$name>() == $size);

        impl $name {
            /// Where it keeps what.
            pub const LAYOUT: $crate::kind::Layout = $crate::kind::Layout {
                name: stringify!($name),
                kind: $crate::kind::layout!(@kind $($kind)?),
                about: concat!($($about, "\n"),*),
                size: $size,
                fields: &[$(
                    $crate::kind::Field {
                        name: stringify!($field),
                        offset: core::mem::offset_of!($name, $field),
                        size: size_of::<$type>(),
                        r#type: stringify!($type),
                        about: concat!($($doc, "\n"),*),
                    },
                )*],
            };
        }

        $(
            impl $crate::Payload for $name {
                const KIND: $crate::Kind = $crate::Kind($kind);
            }
        )?
    };
}
pub(crate) use layout;

/// Declares the values of a field, each as a constant, and all of them as a
/// table for the documents.
macro_rules! constants {
    (
        $table:ident of $of:ident:
        $( $(#[doc = $doc:literal])* $name:ident = $value:expr; )*
    ) => {
        $( $(#[doc = $doc])* pub const $name: u32 = $value; )*

        #[doc = concat!("The values of `", stringify!($of), "`.")]
        pub const $table: $crate::kind::Constants = $crate::kind::Constants {
            of: stringify!($of),
            values: &[$(
                $crate::kind::Constant {
                    name: stringify!($name),
                    value: $value,
                    about: concat!($($doc, "\n"),*),
                },
            )*],
        };
    };
}
pub(crate) use constants;
