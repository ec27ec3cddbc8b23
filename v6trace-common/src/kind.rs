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
    SourceSelection = 9,
    /// An [`AnycastChange`](crate::AnycastChange).
    AnycastChange = 3,
    /// A [`DefaultRoutesPurged`](crate::DefaultRoutesPurged).
    DefaultRoutesPurged = 4,
}

impl Kind {
    /// The kind that `value` stands for, if this version knows it.
    pub const fn from_wire(value: u16) -> Option<Self> {
        match value {
            1 => Some(Self::MulticastJoin),
            2 => Some(Self::SetToken),
            9 => Some(Self::SourceSelection),
            3 => Some(Self::AnycastChange),
            4 => Some(Self::DefaultRoutesPurged),
            _ => None,
        }
    }
}
