//! `pictor codecs`: what this build reads and writes, the libraries behind it, and what is known to be wrong with them.

use crate::imaging::{codecs, encode};
use crate::plan::Format;

/// Prints a table; what is known to be wrong with a codec goes to standard error.
pub fn run() -> Result<(), String> {
    let written: Vec<_> =
        Format::ALL.into_iter().filter(|format| encode::writable(*format)).map(Format::name).collect();
    println!("writes        {}", written.join(" "));
    for codec in codecs::all() {
        match codec.version {
            Some(version) => println!("{:<14}{version:<18}{:<34}{}", codec.name, codec.does, codec.from),
            None => println!("{:<14}{:<18}{}", codec.name, "none", codec.does),
        }
    }
    for warning in codecs::warnings()? {
        eprintln!("warning: {warning}");
    }
    Ok(())
}
