//! What is to be asked: the list, line by line, and the places.

use std::fs::File;
use std::io::{BufRead, BufReader};

use tokio::sync::{mpsc, watch};

use crate::dialect;

/// Bytes of one line. Longer ones are no URLs.
const MAX_LINE: u64 = 64 << 10;

/// Lines that are read ahead of the work.
const AHEAD: usize = 64;

/// Where to ask.
#[derive(Debug, Clone)]
pub(super) struct Places {
    from: Option<String>,
    against: String,
    keep_host: bool,
}

/// One pair to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlPair {
    /// Where in the list it stands, from 1, blank lines and comments not counted.
    pub number: u64,
    /// The URL to ask the first place for, or what is wrong with the line.
    pub from: Result<String, String>,
    /// The URL to ask the second place for.
    pub against: String,
    /// The Host to send to the second place, if not its own.
    pub host: Option<String>,
    /// The URL for people's eyes, without secrets.
    pub shown: String,
    /// The second URL's path and query likewise, if it is another one.
    pub shown_against: Option<String>,
}

impl Places {
    pub(super) fn new(from: Option<&str>, against: &str, keep_host: bool) -> Result<Self, String> {
        let base = |text: &str| {
            let fine = origin_of(text).is_some() && !text.contains(['?', '#']);
            match fine {
                true => Ok(text.trim_end_matches('/').to_owned()),
                false => Err(format!("{text} is no place: write http://HOST or https://HOST:PORT")),
            }
        };
        Ok(Self { from: from.map(base).transpose()?, against: base(against)?, keep_host })
    }

    /// The places, for people's eyes.
    pub(super) fn shown(&self) -> (String, String) {
        let from = self.from.as_deref().map_or_else(|| "the place that each URL names".to_owned(), shown);
        (from, shown(&self.against))
    }

    /// What a line asks for.
    pub(super) fn entry(&self, number: u64, line: &str) -> UrlPair {
        let mut columns = line.split('\t').map(str::trim);
        let first = columns.next().unwrap_or_default();
        let second = columns.next().filter(|second| !second.is_empty());
        let from = match &self.from {
            Some(base) => Ok(format!("{base}{}", path_of(first))),
            None if origin_of(first).is_some() => Ok(first.split('#').next().unwrap_or_default().to_owned()),
            None => Err("a path alone names no place; say --from".to_owned()),
        };
        let host = origin_of(first).filter(|_| self.keep_host).map(|(_, host)| host.to_owned());
        let against = format!("{}{}", self.against, path_of(second.unwrap_or(first)));
        let shown_against = second.map(|second| shown(&path_of(second)));
        UrlPair { number, from, against, host, shown: shown(first), shown_against }
    }
}

/// Everything of a URL before its path, and the host with its port in it.
fn origin_of(url: &str) -> Option<(&str, &str)> {
    let at = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = at.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let origin = url.get(..url.len() - at.len() + authority.len())?;
    (!host.is_empty()).then_some((origin, host))
}

/// Path and query of a URL or a path, with a slash at the front and without a fragment.
fn path_of(url: &str) -> String {
    let rest = origin_of(url).and_then(|(origin, _)| url.get(origin.len()..)).unwrap_or(url);
    let rest = rest.split('#').next().unwrap_or_default();
    let slash = if rest.starts_with('/') { "" } else { "/" };
    format!("{slash}{rest}")
}

/// A URL without user, password and the values of signatures and tokens.
pub(super) fn shown(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (before, query) = url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    let before = match origin_of(before) {
        Some((origin, host)) => {
            let scheme = origin.split("://").next().unwrap_or_default();
            format!("{scheme}://{host}{}", before.get(origin.len()..).unwrap_or_default())
        }
        None => before.to_owned(),
    };
    match query {
        Some(query) => format!("{before}?{}", dialect::redact(query)),
        None => before,
    }
}

/// How many lines a list has; `None` where it can be read but once.
pub(super) fn count(list: &str) -> Result<Option<u64>, String> {
    if list == "-" {
        return Ok(None);
    }
    let mut count = 0;
    super::super::lines(open(list)?, MAX_LINE, |_| {
        count += 1;
        Ok(())
    })?;
    if count == 0 {
        return Err(format!("{list} holds no URL"));
    }
    // A pipe is empty when it is read again.
    let whole = std::fs::metadata(list).is_ok_and(|meta| meta.is_file());
    if whole { Ok(Some(count)) } else { Err(format!("{list} is no file; for a pipe write - and give it as input")) }
}

fn open(list: &str) -> Result<Box<dyn BufRead + Send>, String> {
    if list == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    Ok(Box::new(BufReader::new(File::open(list).map_err(|error| format!("{list}: {error}"))?)))
}

/// The entries of a list as they are read, until its end or until the user has had enough.
pub(super) struct Entries {
    receiver: mpsc::Receiver<Result<UrlPair, String>>,
    stop: watch::Receiver<bool>,
}

impl Entries {
    /// The next one, or why there is none.
    pub(super) async fn next(&mut self) -> Option<Result<UrlPair, String>> {
        if self.stopped() {
            return None;
        }
        tokio::select! {
            biased;
            _ = self.stop.changed() => None,
            entry = self.receiver.recv() => entry,
        }
    }

    /// Tells whether the user has had enough.
    pub(super) fn stopped(&self) -> bool {
        *self.stop.borrow()
    }
}

/// Reads the list on a thread of its own, a little ahead of the work. ^C ends it; a second one the process.
pub(super) fn read(list: &str, places: Places) -> Result<Entries, String> {
    let input = open(list)?;
    let (entries, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut number = 0;
        let result = super::super::lines(input, MAX_LINE, |line| {
            number += 1;
            let entry = match line {
                Ok(line) => places.entry(number, line),
                Err(()) => UrlPair {
                    from: Err(format!("a line of more than {MAX_LINE} bytes, or not UTF-8")),
                    ..places.entry(number, "/")
                },
            };
            entries.blocking_send(Ok(entry)).map_err(|_| String::new())
        });
        // Nothing to say where nobody listens any more.
        if let Err(message) = result
            && !message.is_empty()
        {
            let _ = entries.blocking_send(Err(message));
        }
    });
    let (flag, stop) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals nothing is ever stopped; the channel has to stay open all the same.
            return std::future::pending().await;
        }
        flag.send_replace(true);
        eprintln!("\nending with what is in flight; again to leave at once");
        if tokio::signal::ctrl_c().await.is_ok() {
            #[allow(clippy::disallowed_methods, reason = "who asks twice wants no end that waits")]
            std::process::exit(2);
        }
    });
    Ok(Entries { receiver, stop })
}
