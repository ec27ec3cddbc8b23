//! Errors as a person reads them.

use std::{error::Error, fmt::Write as _};

/// An error and what caused it, in one line; a cause that the error already
/// tells is not told twice.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}
