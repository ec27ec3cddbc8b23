//! What the programs must know of the running kernel: offsets of struct
//! members, sizes, and addresses of variables.
//!
//! Each is a global of the kernel side. Userspace finds the member in the
//! kernel's BTF and sets the global before the programs are loaded, so that
//! the verifier sees constants and drops what an absent member guards. What one
//! family reads is declared in its own file, what several do in
//! [`kernel`](crate::kernel).

/// The value of a global whose member, size or address this kernel lacks.
pub const ABSENT: u32 = u32::MAX;

/// How a member is read, and so what its global holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many bytes at an offset; the global holds the offset.
    Bytes(u32),
    /// A pointer or an embedded object whose address is wanted; the global
    /// holds the offset, and the size is the kernel's business.
    Object,
    /// Some bits; the global holds a packed [`Bits`].
    Bits,
    /// The size of a whole type.
    Size,
    /// The value of an enumerator; the path is the enum's name and its own.
    Value,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name of the global.
    pub global: &'static str,
    /// Type and member path, as `net.core.sysctl_optmem_max`; only the type
    /// for [`Shape::Size`]. Where kernels have it by different names, all of them,
    /// the newest first, with ` or ` in between.
    pub path: &'static str,
    /// How it is read.
    pub shape: Shape,
    /// What becomes of the explanations where this kernel lacks it, a clause.
    pub without: &'static str,
}

impl Member {
    /// The paths by which kernels have it.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.path.split(" or ")
    }
}

/// Where the bits of a bitfield are: within the 32-bit word at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Bytes from the start of the struct to the word.
    pub offset: u16,
    /// Bits below the field.
    pub shift: u8,
    /// Bits of the field.
    pub width: u8,
}

impl Bits {
    /// The form in which a global holds it.
    pub const fn pack(self) -> u32 {
        (self.offset as u32) | ((self.shift as u32) << 16) | ((self.width as u32) << 24)
    }

    /// The inverse of [`Bits::pack`].
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the fields apart")]
    pub const fn unpack(packed: u32) -> Self {
        Self {
            offset: packed as u16,
            shift: (packed >> 16) as u8,
            width: (packed >> 24) as u8,
        }
    }

    /// The field's value in `word`.
    #[inline]
    pub const fn of(self, word: u32) -> u32 {
        (word >> (self.shift & 31)) & (u32::MAX >> ((32 - self.width as u32) & 31))
    }
}

/// Declares members, each as a constant, all of them as `MEMBERS`, and a macro
/// that hands their names to the kernel side, which makes globals of them.
macro_rules! members {
    ($d:tt $callback:ident: $($global:ident: $shape:expr, $path:literal, $without:literal;)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            pub const $global: $crate::member::Member = $crate::member::Member {
                global: stringify!($global),
                path: $path,
                shape: $shape,
                without: $without,
            };
        )*

        /// All of these.
        pub const MEMBERS: &[&$crate::member::Member] = &[$(&$global),*];

        /// Calls `$apply!` with the names and paths of these members.
        #[macro_export]
        macro_rules! $callback {
            ($d apply:path) => {
                $d apply! { $($global: $path;)* }
            };
        }
    };
}
pub(crate) use members;

/// A kernel variable whose address the programs read from, or a function whose address
/// they compare with others: a global of 64 bits, 0 where this kernel has no such thing.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The name of the global.
    pub global: &'static str,
    /// Symbols in which the value may live, first match wins; with each the
    /// member path to add, where the variable is a struct.
    pub symbols: &'static [(&'static str, Option<&'static str>)],
    /// The member that makes it unnecessary, where there is one.
    pub unless: Option<&'static Member>,
    /// What becomes of the explanations where it cannot be read, a clause.
    pub without: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_survive_packing() {
        let bits = Bits {
            offset: 504,
            shift: 17,
            width: 3,
        };
        assert_eq!(Bits::unpack(bits.pack()), bits);
        assert_eq!(bits.of(0b101 << 17), 0b101);
        assert_ne!(bits.pack(), ABSENT);
    }
}
