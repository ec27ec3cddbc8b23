//! The kinds of records: one line for each payload that the kernel side writes.

/// What a record is about; decides the payload that follows its header.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A [`MulticastJoin`](crate::MulticastJoin).
    MulticastJoin = 1,
    /// A [`SetToken`](crate::SetToken).
    SetToken = 2,
    /// A [`SourceSelection`](crate::SourceSelection).
    SourceSelection = 3,
    /// An [`AnycastChange`](crate::AnycastChange).
    AnycastChange = 4,
    /// A [`DefaultRoutesPurged`](crate::DefaultRoutesPurged).
    DefaultRoutesPurged = 5,
    /// A [`DadFailure`](crate::DadFailure).
    DadFailure = 6,
    /// A [`DadReflection`](crate::DadReflection).
    DadReflection = 7,
}

impl Kind {
    /// The kind that `value` stands for, if this version knows it.
    pub const fn from_wire(value: u16) -> Option<Self> {
        match value {
            1 => Some(Self::MulticastJoin),
            2 => Some(Self::SetToken),
            3 => Some(Self::SourceSelection),
            4 => Some(Self::AnycastChange),
            5 => Some(Self::DefaultRoutesPurged),
            6 => Some(Self::DadFailure),
            7 => Some(Self::DadReflection),
            _ => None,
        }
    }
}
