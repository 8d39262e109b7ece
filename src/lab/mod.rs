//! The laboratory: what tries the house as a whole. Nothing outside may use it.

pub mod emulate;
pub mod simulate;
