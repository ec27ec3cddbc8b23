//! Builds BTF for the tests, record by record.

/// Appends types; each method returns the number of the type it added.
#[derive(Default)]
pub(crate) struct Blob {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

/// A member as the tests write it: name, type, offset word.
pub(crate) type Field<'a> = (&'a str, u32, u32);

/// The offset word of a bitfield in a structure with the kind flag.
pub(crate) const fn bits(width: u32, offset: u32) -> u32 {
    width << 24 | offset
}

impl Blob {
    pub(crate) fn new() -> Self {
        Self {
            strings: vec![0],
            ..Self::default()
        }
    }

    pub(crate) fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// Any record at all.
    pub(crate) fn raw(
        &mut self,
        name: &str,
        kind: u32,
        flags: u32,
        third: u32,
        extra: &[u32],
    ) -> u32 {
        let name = self.string(name);
        for word in [name, kind << 24 | flags, third].iter().chain(extra) {
            self.types.extend_from_slice(&word.to_le_bytes());
        }
        self.count += 1;
        self.count
    }

    /// The number the next type gets, for types that refer forward.
    pub(crate) fn next(&self) -> u32 {
        self.count + 1
    }

    pub(crate) fn int(&mut self, name: &str, size: u32) -> u32 {
        self.raw(name, 1, 0, size, &[size * 8])
    }

    /// An int made for one bitfield, as before `kind_flag`.
    pub(crate) fn bit_int(&mut self, size: u32, shift: u32, width: u32) -> u32 {
        self.raw("int", 1, 0, size, &[shift << 16 | width])
    }

    pub(crate) fn ptr(&mut self, to: u32) -> u32 {
        self.raw("", 2, 0, to, &[])
    }

    pub(crate) fn array(&mut self, of: u32, len: u32) -> u32 {
        self.raw("", 3, 0, 0, &[of, 0, len])
    }

    /// kind 4 or 5, `flagged` for the newer encoding of bitfields.
    pub(crate) fn composite(
        &mut self,
        kind: u32,
        name: &str,
        size: u32,
        flagged: bool,
        fields: &[Field<'_>],
    ) -> u32 {
        let extra: Vec<u32> = fields
            .iter()
            .flat_map(|(name, of, offset)| [self.string(name), *of, *offset])
            .collect();
        let flags = u32::try_from(fields.len()).unwrap() | u32::from(flagged) << 31;
        self.raw(name, kind, flags, size, &extra)
    }

    pub(crate) fn structure(&mut self, name: &str, size: u32, fields: &[Field<'_>]) -> u32 {
        self.composite(4, name, size, false, fields)
    }

    pub(crate) fn union(&mut self, name: &str, size: u32, fields: &[Field<'_>]) -> u32 {
        self.composite(5, name, size, false, fields)
    }

    /// typedef 8, volatile 9, const 10, restrict 11, `type_tag` 18.
    pub(crate) fn modifier(&mut self, kind: u32, name: &str, of: u32) -> u32 {
        self.raw(name, kind, 0, of, &[])
    }

    pub(crate) fn enumeration(&mut self, name: &str, signed: bool, values: &[(&str, u32)]) -> u32 {
        let extra: Vec<u32> = values
            .iter()
            .flat_map(|(name, value)| [self.string(name), *value])
            .collect();
        let flags = u32::try_from(values.len()).unwrap() | u32::from(signed) << 31;
        self.raw(name, 6, flags, 4, &extra)
    }

    pub(crate) fn enumeration64(&mut self, name: &str, values: &[(&str, u64)]) -> u32 {
        let extra: Vec<u32> = values
            .iter()
            .flat_map(|(name, value)| {
                let bytes = value.to_le_bytes();
                let word = |at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap());
                [self.string(name), word(0), word(4)]
            })
            .collect();
        self.raw(name, 19, u32::try_from(values.len()).unwrap(), 8, &extra)
    }

    pub(crate) fn function(&mut self, name: &str, params: &[(&str, u32)]) -> u32 {
        let extra: Vec<u32> = params
            .iter()
            .flat_map(|(name, of)| [self.string(name), *of])
            .collect();
        let prototype = self.raw("", 13, u32::try_from(params.len()).unwrap(), 0, &extra);
        self.raw(name, 12, 0, prototype, &[])
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        self.finish_with(&[], &[])
    }

    /// With more header fields than the first version had, and something after
    /// the strings.
    pub(crate) fn finish_with(&self, header: &[u32], tail: &[u8]) -> Vec<u8> {
        let mut out = vec![0x9f, 0xeb, 1, 0];
        let header_len = u32::try_from(24 + header.len() * 4).unwrap();
        let types = u32::try_from(self.types.len()).unwrap();
        let strings = u32::try_from(self.strings.len()).unwrap();
        for word in [header_len, 0, types, types, strings].iter().chain(header) {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.types);
        out.extend_from_slice(&self.strings);
        out.extend_from_slice(tail);
        out
    }

    /// Length of types and strings together, where a layout section would begin.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.types.len() + self.strings.len()).unwrap()
    }
}
