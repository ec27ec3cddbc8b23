//! The causes of this family.

use crate::catalogue::causes;

causes! {}
