//! What an event carries beside its header, by name: for `--events`.

use std::fmt;

use serde::{Serialize, Serializer};

/// A value where the event has it: there may be millions of them.
pub enum Field<'e> {
    /// A number.
    Number(i64),
    /// A yes or no.
    Flag(bool),
    /// A word.
    Text(&'e str),
    /// Something that has a form as text.
    Shown(&'e dyn fmt::Display),
    /// Several words.
    List(Vec<&'e str>),
    /// Not known.
    Unknown,
}

/// What takes the fields, one after the other.
pub type Take<'t> = &'t mut dyn FnMut(&'static str, Field<'_>);

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Shown(value) => serializer.collect_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Unknown => serializer.serialize_none(),
        }
    }
}

macro_rules! field_from {
    ($($from:ty => $make:expr;)*) => {
        $(impl<'e> From<$from> for Field<'e> {
            fn from(value: $from) -> Self {
                ($make)(value)
            }
        })*
    };
}
field_from! {
    i32 => |v| Field::Number(i64::from(v));
    u32 => |v| Field::Number(i64::from(v));
    // Inode numbers beyond i64 do not occur.
    u64 => |v| i64::try_from(v).map_or(Field::Unknown, Field::Number);
    bool => Field::Flag;
    &'e str => Field::Text;
}

impl<'e, T: Into<Field<'e>>> From<Option<T>> for Field<'e> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

/// A value in its own form as text.
pub(crate) fn shown(value: &impl fmt::Display) -> Field<'_> {
    Field::Shown(value)
}

/// The same, where there may be none.
pub(crate) fn text<T: fmt::Display>(value: Option<&T>) -> Field<'_> {
    value.map_or(Field::Unknown, |value| Field::Shown(value))
}
