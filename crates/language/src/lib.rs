//! The pure part of Pictor: the plan and the vendors' dialects that it is read from, negotiation, access, signatures and
//! prices. Functions on plain data: no clock, no I/O, no globals. Imports point down this list, never up.
#![forbid(unsafe_code)]

pub mod dialect;

pub mod access;
pub mod billing;
pub mod negotiate;
pub mod sign;

pub mod plan;

pub mod dates;
pub mod digest;
pub mod error;
pub mod xml;
