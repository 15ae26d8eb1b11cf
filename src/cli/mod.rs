//! The command line: one file a command.

mod check;
mod codecs;
mod convert;
mod explain;
mod replay;
mod serve;
mod translate;

use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An origin shield for images: speaks the image dialects of Tencent CI and Aliyun OSS, converts once, caches, counts.
#[derive(Debug, Parser)]
#[command(name = "pictor", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve. Without --config: the demo site, from a folder.
    Serve {
        /// The configuration file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Check a configuration file and say what is wrong, with its line.
    Check {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Say what a URL or rule means: canonical plan, size of the result, billing tier, errors.
    Explain(explain::ExplainArguments),
    /// Convert a file by a rule, with the engine that the service uses.
    Convert(convert::ConvertArguments),
    /// Ask two places for a list of URLs and report where their answers differ.
    Replay(Box<replay::ReplayArguments>),
    /// Rewrite a URL or rule of one vendor in the language of the other, or say what has no counterpart.
    Translate(translate::TranslateArguments),
    /// List the formats that this build reads and writes, and the codec libraries behind them.
    Codecs,
}

/// Reads a list line by line, without blank lines and `#` comments, in bounded memory. A line that is longer than `most`
/// bytes or not UTF-8 is an `Err` for `each`, and the next one is read.
fn lines(
    mut input: impl BufRead,
    most: u64,
    mut each: impl FnMut(Result<&str, ()>) -> Result<(), String>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the list: {error}");
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(most).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") && line.len() as u64 == most {
            input.skip_until(b'\n').map_err(failed)?;
            each(Err(()))?;
            continue;
        }
        match std::str::from_utf8(&line).map(str::trim) {
            Ok(text) if text.is_empty() || text.starts_with('#') => {}
            Ok(text) => each(Ok(text))?,
            Err(_) => each(Err(()))?,
        }
    }
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    // A worker is started by the service, with settings of its own; it shall not even build the command line's parser.
    if std::env::args_os().nth(1).is_some_and(|name| name == "worker") {
        return crate::engine::worker_main();
    }
    let result = match Arguments::parse().command {
        Command::Serve { config } => serve::run(config.as_deref()),
        Command::Check { config } => check::run(&config),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Replay(arguments) => return replay::run(&arguments),
        Command::Translate(arguments) => translate::run(&arguments),
        Command::Codecs => codecs::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("pictor: {message}");
            ExitCode::FAILURE
        }
    }
}
