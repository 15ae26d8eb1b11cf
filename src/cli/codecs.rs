//! `pictor codecs`: what this build reads and writes.

use crate::imaging::encode;
use crate::plan::Format;

/// Prints a table.
pub fn run() -> Result<(), String> {
    let written: Vec<_> =
        Format::ALL.into_iter().filter(|format| encode::writable(*format)).map(Format::name).collect();
    println!("writes    {}", written.join(" "));
    for (name, version) in encode::versions() {
        println!("{name:<14}{version}");
    }
    Ok(())
}
