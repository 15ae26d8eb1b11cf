#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::error::Error as _;
use std::fmt;

use super::*;

/// An error of some library, with so many others behind it.
#[derive(Debug)]
struct Nested {
    text: String,
    behind: Option<Box<Nested>>,
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Nested {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.behind.as_deref().map(|behind| behind as &(dyn std::error::Error + 'static))
    }
}

fn nested(texts: &[&str]) -> Nested {
    let mut all = texts.iter().rev().map(|text| (*text).to_owned());
    let last = Nested { text: all.next().unwrap(), behind: None };
    all.fold(last, |behind, text| Nested { text, behind: Some(Box::new(behind)) })
}

fn failed() -> Error {
    Error::new(Kind::OriginFailed, "bucket \"b\"").caused_by(&nested(&["no answer", "connection reset"]))
}

#[test]
fn logs_have_every_cause_and_clients_have_none() {
    let error = failed();
    assert_eq!(error.to_string(), "origin_failed: bucket \"b\"; caused by: no answer; caused by: connection reset");
    assert_eq!(error.report(), "bucket \"b\"; caused by: no answer; caused by: connection reset");
    assert_eq!(error.told(), "bucket \"b\"");
    assert_eq!(error.message, Kind::OriginFailed.sentence());
    let first = error.source().unwrap();
    assert_eq!(first.to_string(), "no answer");
    assert_eq!(first.source().unwrap().to_string(), "connection reset");
    assert!(first.source().unwrap().source().is_none());
    assert!(Error::new(Kind::Busy, "later").source().is_none());
}

#[test]
fn what_is_done_with_an_error_leaves_its_cause() {
    let error = failed().about("the mark").with_code(3).shortened(20);
    assert_eq!(error.report(), "the mark: bucket \"b\"; caused by: no answer; caused by: connection reset");
    assert_eq!(error.clone(), error);
}

/// A worker and the service need not agree on causes: what goes through their pipe is as it was before there were any.
#[test]
fn causes_stay_in_their_process() {
    let text = serde_json::to_string(&failed()).unwrap();
    assert!(!text.contains("reset") && !text.contains("cause"), "{text}");
    let read: Error = serde_json::from_str(&text).unwrap();
    assert_eq!(read, Error::new(Kind::OriginFailed, "bucket \"b\""));
}

#[test]
fn causes_are_bounded_and_weighed() {
    let long = "é".repeat(1000);
    let texts = vec![long.as_str(); 50];
    let plain = Error::new(Kind::Internal, "x");
    let error = plain.clone().caused_by(&nested(&texts));
    assert_eq!(error.report().matches("; caused by: ").count(), 6);
    assert_eq!(error.report().chars().filter(|c| *c == 'é').count(), 6 * 300);
    let more = error.size() - plain.size();
    assert!((6 * 600..6 * 700).contains(&more), "{more}");
}

#[test]
fn sentences_are_cut_between_characters() {
    let error = Error::inside(Kind::Internal, "äöü", "ÄÖÜß").shortened(3);
    assert_eq!((error.message.as_str(), error.told()), ("äöü", "ÄÖÜ"));
    let error = Error::inside(Kind::Internal, "äöü", "ÄÖÜß").shortened(0);
    assert_eq!((error.message.as_str(), error.told()), ("", ""));
}
