//! Errno values by the names that operators know them by.

use std::fmt;

/// A positive errno, as `ENOMEM` (12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                pub const $name: Self = Self(libc::$name);
            )*

            /// Its symbolic name, if it is one that the IPv6 code returns.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(libc::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

names!(
    EPERM,
    ENOENT,
    EIO,
    ENXIO,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EBUSY,
    EEXIST,
    ENODEV,
    EINVAL,
    EMFILE,
    ENOSPC,
    ERANGE,
    EPROTO,
    ENOTSOCK,
    EDESTADDRREQ,
    EMSGSIZE,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    EOPNOTSUPP,
    EAFNOSUPPORT,
    EADDRINUSE,
    EADDRNOTAVAIL,
    ENETDOWN,
    ENETUNREACH,
    ENOBUFS,
    EISCONN,
    ENOTCONN,
    ETIMEDOUT,
    ECONNREFUSED,
    EHOSTUNREACH,
);

impl Errno {
    /// The errno of a kernel function's result: `None` for 0 and above.
    pub fn of_result(ret: i32) -> Option<Self> {
        (ret < 0).then(|| Self(ret.saturating_neg()))
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_become_names() {
        assert_eq!(Errno::of_result(0), None);
        assert_eq!(Errno::of_result(7), None);
        assert_eq!(
            Errno::of_result(-12).map(|e| e.to_string()).as_deref(),
            Some("ENOMEM")
        );
        assert_eq!(
            Errno::of_result(-512).map(|e| e.to_string()).as_deref(),
            Some("errno 512")
        );
        assert_eq!(Errno::of_result(i32::MIN), Some(Errno(i32::MAX)));
    }
}
