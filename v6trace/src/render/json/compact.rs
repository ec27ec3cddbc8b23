//! Lines as serde_json writes them, byte for byte, at a fraction of what it takes there:
//! most of that is looking at each byte for what is to be escaped. Here eight are looked
//! at once, and a text that has none is copied as it is. One that has goes through
//! serde_json, as do numbers.
//!
//! A library would do as much with SIMD instructions, `sonic-rs`: its release builds read
//! beyond the end of a text, and a recording chooses what is in a text. It would bring seven
//! more crates along as well.

use std::{fmt::Display, io::Write as _};

use serde::{
    Serialize, Serializer,
    ser::{self, Error as _, Impossible},
};
use serde_json::Error;

/// Appends one value.
pub(super) struct Compact<'o>(pub(super) &'o mut Vec<u8>);

/// Appends what a list or an object has in it.
pub(super) struct Items<'o> {
    out: &'o mut Vec<u8>,
    begun: bool,
    close: u8,
}

impl<'o> Compact<'o> {
    fn begin(self, open: u8, close: u8) -> Items<'o> {
        self.0.push(open);
        Items {
            out: self.0,
            begun: false,
            close,
        }
    }

    fn word(self, word: &str) {
        self.0.extend_from_slice(word.as_bytes());
    }

    /// What is between quotes from there on is escaped, where anything is to be.
    fn close_text(self, from: usize) -> Result<(), Error> {
        let out = self.0;
        if out.get(from..).is_none_or(is_plain) {
            out.push(b'"');
            return Ok(());
        }
        let text = out.split_off(from);
        out.pop();
        serde_json::to_writer(out, &String::from_utf8_lossy(&text))
    }
}

/// Whether nothing of a text is to be escaped.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    !words.iter().chain([&last]).any(|word| has_special(*word))
}

/// Whether one of eight bytes is a control character, a quote or a backslash. A byte
/// beyond ASCII is none; the highest bit of each byte is where the sums carry into.
fn has_special(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    let low = word & !HIGHEST;
    let below = |limit: u64, of: u64| !(of + ONES * (0x80 - limit));
    let is = |byte: u8| below(1, low ^ (ONES * u64::from(byte)));
    let special = below(0x20, low) | is(b'"') | is(b'\\');
    special & !word & HIGHEST != 0
}

/// For forms that no line has.
fn unused<T>() -> Result<T, Error> {
    Err(Error::custom("no line has a value of this form"))
}

macro_rules! as_serde_json_does {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            serde_json::to_writer(self.0, &value)
        })*
    };
}

impl<'o> Serializer for Compact<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'o>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Items<'o>;
    type SerializeStruct = Items<'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    as_serde_json_does! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_bytes: &[u8],
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.word(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.0.push(b'"');
        let from = self.0.len();
        self.0.extend_from_slice(text.as_bytes());
        self.close_text(from)
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Error> {
        self.0.push(b'"');
        let from = self.0.len();
        write!(self.0, "{value}").map_err(Error::io)?;
        self.close_text(from)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.word("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut object = self.begin(b'{', b'}');
        object.next(variant)?;
        object.value(value)?;
        object.close();
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Items<'o>, Error> {
        Ok(self.begin(b'[', b']'))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, Error> {
        unused()
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        unused()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        unused()
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Items<'o>, Error> {
        Ok(self.begin(b'{', b'}'))
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Items<'o>, Error> {
        Ok(self.begin(b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        unused()
    }
}

impl Items<'_> {
    fn next<T: ?Sized + Serialize>(&mut self, item: &T) -> Result<(), Error> {
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        item.serialize(Compact(self.out))
    }

    fn value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Compact(self.out))
    }

    fn close(self) {
        self.out.push(self.close);
    }
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, item: &T) -> Result<(), Error> {
        self.next(item)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

/// A name that is no text is an error: it would be no JSON.
impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, name: &T) -> Result<(), Error> {
        let at = self.out.len() + usize::from(self.begun);
        self.next(name)?;
        if self.out.get(at) == Some(&b'"') {
            Ok(())
        } else {
            unused()
        }
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.next(name)?;
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{super::lines::Shown, *};

    fn written(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        value.serialize(Compact(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[derive(Serialize)]
    enum Form {
        Of(u8),
    }

    #[test]
    fn a_form_with_a_value_is_as_serde_json_writes_it() {
        assert_eq!(written(&Form::Of(1)), r#"{"Of":1}"#);
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        let numbered = BTreeMap::from([(1, 2)]);
        assert!(numbered.serialize(Compact(&mut Vec::new())).is_err());
    }

    proptest! {
        #[test]
        fn texts_are_as_serde_json_writes_them(text in any::<String>()) {
            prop_assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            prop_assert_eq!(written(&Shown(&text)), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn each_special_byte_is_seen_anywhere(ahead in "[ -~é]{0,20}", byte in 0_u8..=0x7f) {
            let text = format!("{ahead}{}", char::from(byte));
            prop_assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
