//! Searches that end after so many steps, whatever they find.
//!
//! A family states one step: a function that looks at what is next and says
//! whether there is more. It keeps what it searches for, where it stands and
//! what it has found in its [`Scratch`](crate::scratch::Scratch), as
//! [`Volatile`](crate::volatile::Volatile) values, which say why.

/// Makes functions that the verifier follows by themselves, once: not inlined,
/// and known by name in the whole object. They take numbers, up to five, and
/// return one.
macro_rules! functions {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block
    )*) => {$(
        $(#[$attribute])*
        // SAFETY: nothing else in the object has the name, or it would not link.
        #[unsafe(no_mangle)]
        #[inline(never)]
        $visibility extern "C" fn $name($($argument: $type),*) -> $result $body
    )*};
}

/// Makes a search of a step: `fn NAME(ARGUMENTS) in SLOT`, which begins where
/// the slot says, and returns whether it came to an end. `STEP: BODY` is the
/// name that the step has in the object, and its body, a function of the slot's
/// value and the arguments. `at most N` steps, or `at most N rows of M`: then
/// the verifier follows one row, and how rows follow each other, not each step
/// after each.
macro_rules! search {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),*) in $slot:ident,
        at most $most:ident by $step:ident: $body:path;
    ) => {
        $crate::search::search! {
            @repeat $(#[$attribute])* $visibility $name($($argument: $type),*) $most $step
        }
        $crate::search::search! { @step $step($($argument: $type),*) $slot $body }
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),*) in $slot:ident,
        at most $most:ident rows of $length:ident by $row:ident, $step:ident: $body:path;
    ) => {
        $crate::search::search! {
            @repeat $(#[$attribute])* $visibility $name($($argument: $type),*) $most $row
        }
        $crate::search::functions! {
            /// A row of steps of the search; 0 at its end.
            fn $row($($argument: $type),*) -> u32 {
                for _ in 0..$length {
                    if $step($($argument),*) == 0 {
                        return 0;
                    }
                }
                1
            }
        }
        $crate::search::search! { @step $step($($argument: $type),*) $slot $body }
    };
    (
        @repeat $(#[$attribute:meta])* $visibility:vis
        $name:ident($($argument:ident: $type:ty),*) $most:ident $next:ident
    ) => {
        $(#[$attribute])*
        #[inline(always)]
        $visibility fn $name($($argument: $type),*) -> bool {
            for _ in 0..$most {
                if $next($($argument),*) == 0 {
                    return true;
                }
            }
            false
        }
    };
    (@step $step:ident($($argument:ident: $type:ty),*) $slot:ident $body:path) => {
        $crate::search::functions! {
            /// A step of the search; 0 at its end.
            fn $step($($argument: $type),*) -> u32 {
                match $slot.get() {
                    Some(slot) => u32::from($body(slot, $($argument),*)),
                    None => 0,
                }
            }
        }
    };
}

pub(crate) use {functions, search};
