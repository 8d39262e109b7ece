//! The laboratory: what tries the house as a whole. Nothing outside may use it.

pub mod check;
pub mod demo;
pub mod emulate;
pub mod people;
mod postman;
pub mod simulate;
