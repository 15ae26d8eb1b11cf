//! What fuzz targets check, one file each: a function of bytes that panics where something is wrong. The fuzzer calls it with
//! what it makes up, `tests/seeds.rs` with every file below `fuzz/seeds`.

mod accept;
mod access;
mod cost;
mod decode;
mod dialect;
mod probe;
mod protocol;
mod sign;
mod styles;
mod xml;

/// Every target: its name, the folder of its seeds, its function.
pub const ALL: [(&str, &str, fn(&[u8])); 10] = [
    ("accept", "accept", accept::check),
    ("access", "access", access::check),
    ("cost", "probe", cost::check),
    ("decode", "probe", decode::check),
    ("dialect", "dialect", dialect::check),
    ("probe", "probe", probe::check),
    ("protocol", "protocol", protocol::check),
    ("sign", "sign", sign::check),
    ("styles", "styles", styles::check),
    ("xml", "xml", xml::check),
];
