//! The decision.

use std::borrow::Cow;

use http::Method;
use percent_encoding::{percent_decode, percent_decode_str};

use super::query::{Query, Sense, reads_settings, sense};
use super::{
    AccessPolicy, Action, Asked, Grant, Pass, PictureGrant, Refusal, SentQuery, StylesGrant, Wants, fields,
    names_picture,
};
use crate::error::Kind;

/// Decides on a request.
///
/// # Errors
/// [`Kind::Forbidden`] for what the site does not open, [`Kind::Protected`] for originals of a site that gives away styles
/// only, [`Kind::MethodNotAllowed`] for a method that nobody grants, [`Kind::BadRequest`] for what two servers would read
/// differently.
pub fn decide(asked: &Asked<'_>, policy: &AccessPolicy) -> Result<Grant, Refusal> {
    let key: Cow<'_, [u8]> = percent_decode_str(asked.path.strip_prefix('/').unwrap_or(asked.path)).into();
    if key.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| matches!(segment, b"." | b"..")) {
        return refuse(Kind::BadRequest, "the path has a segment \".\" or \"..\"");
    }
    if !asked.page_admitted {
        return refuse(Kind::Forbidden, "this site's objects are not shown on the page that asks for them");
    }
    if policy.styles && is_style_call(asked.path, asked.query) {
        return Ok(Grant::Styles(StylesGrant(())));
    }
    if !policy.anonymous {
        return refuse(Kind::Forbidden, "this site does not serve requests without a signature");
    }
    if matches!(*asked.method, Method::TRACE | Method::CONNECT) {
        return refuse(Kind::MethodNotAllowed, "TRACE and CONNECT are not served");
    }
    match asked.wants {
        Wants::Picture { by_style } => picture(asked, policy, &key, by_style).map(Grant::Picture),
        Wants::Stored if policy.origin_decides => as_it_came(asked, policy, &key).map(Grant::Pass),
        Wants::Stored => stored(asked, policy, &key).map(Grant::Pass),
    }
}

/// Whether a request is one of the vendors' calls for a bucket's styles.
pub fn is_style_call(path: &str, query: &Query) -> bool {
    matches!(path, "" | "/") && query.has("style")
}

fn refuse<T>(kind: Kind, why: &'static str) -> Result<T, Refusal> {
    Err(Refusal { kind, why })
}

const NO_LISTS: &str = "this site shows neither lists nor settings without a signature";
const NO_CHANGES: &str = "this site takes no changes without a signature";
const TYPE_IS_STORED: &str = "this site's originals are told by their type, which cannot be chosen";
const CONTENT_TYPE: &str = "response-content-type";
const OBJECTS_ONLY: &str = "without a signature only objects are changed here: no buckets, no settings";

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// What names no object: nothing, or slashes alone, which servers may take for nothing.
fn names_bucket(key: &[u8]) -> bool {
    key.iter().all(|byte| *byte == b'/')
}

fn picture(asked: &Asked<'_>, policy: &AccessPolicy, key: &[u8], by_style: bool) -> Result<PictureGrant, Refusal> {
    if !reads(asked.method) {
        return refuse(Kind::MethodNotAllowed, "this method does not take an image rule; use GET");
    }
    if names_bucket(key) {
        return refuse(Kind::Forbidden, "a rule needs an object, and the path names none");
    }
    if policy.protect && !by_style {
        return refuse(Kind::Protected, Kind::Protected.sentence());
    }
    let mut found = Found::of(asked, policy)?;
    if found.reserved && !policy.origin_decides {
        return refuse(Kind::Forbidden, NO_LISTS);
    }
    Ok(PictureGrant { path: asked.path.to_owned(), version: found.version.take(), overrides: found.overrides })
}

/// Where the origin checks its clients itself, everything goes through as it came.
fn as_it_came(asked: &Asked<'_>, policy: &AccessPolicy, key: &[u8]) -> Result<Pass, Refusal> {
    protected(asked, policy, key)?;
    if policy.protect && reads(asked.method) && asked.raw_query.is_some_and(chooses_type) {
        return refuse(Kind::Protected, TYPE_IS_STORED);
    }
    let form = || asked.headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| is_form(kind.as_bytes()));
    let action = match asked.method {
        method if reads(method) && !names_bucket(key) => Action::Read,
        &Method::POST if asked.query.has("delete") => Action::DeleteMany,
        &Method::POST if form() => Action::Form,
        _ => Action::Any,
    };
    let version = asked.query.iter().find(|(name, _)| sense(name, b"x") == Sense::Version);
    let version = version.and_then(|(_, value)| String::from_utf8(value.to_vec()).ok()).filter(|id| !id.is_empty());
    Ok(Pass {
        action,
        path: asked.path.to_owned(),
        sent: SentQuery::AsItCame(asked.raw_query.map(str::to_owned)),
        version,
        fields: fields_of(asked, policy, false, false),
    })
}

/// Whether a query may choose the type of its answer. Which servers understand that, and how they split and decode a query,
/// nobody knows here: the name counts wherever it stands.
fn chooses_type(raw: &str) -> bool {
    let names =
        |text: &[u8]| text.windows(CONTENT_TYPE.len()).any(|part| part.eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()));
    let once: Cow<'_, [u8]> = percent_decode_str(raw).into();
    names(&once) || once.contains(&b'%') && names(&Cow::from(percent_decode(&once)))
}

fn is_form(kind: &[u8]) -> bool {
    const FORM: &[u8] = b"multipart/form-data";
    kind.trim_ascii_start().get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

/// What is stored, by a store that knows nobody but Pictor.
fn stored(asked: &Asked<'_>, policy: &AccessPolicy, key: &[u8]) -> Result<Pass, Refusal> {
    protected(asked, policy, key)?;
    let bucket = names_bucket(key);
    let (action, only, version) = match *asked.method {
        Method::GET | Method::HEAD => read(asked, policy, bucket)?,
        Method::OPTIONS => preflight(asked, policy, bucket)?,
        _ if !policy.write => return refuse(Kind::Forbidden, NO_CHANGES),
        Method::PUT | Method::POST | Method::DELETE => write(asked, policy, bucket)?,
        _ => return refuse(Kind::MethodNotAllowed, "a store takes GET, HEAD, OPTIONS, PUT, POST and DELETE"),
    };
    let writes = !matches!(action, Action::Read | Action::ReadSettings | Action::Preflight);
    if writes {
        fields::check(asked.headers, action, policy.protect)?;
    }
    let fields = fields_of(asked, policy, true, writes);
    Ok(Pass { action, path: asked.path.to_owned(), sent: SentQuery::Only(only), version, fields })
}

fn fields_of(asked: &Asked<'_>, policy: &AccessPolicy, known_only: bool, writes: bool) -> fields::Rule {
    // Ranges are for GET alone (RFC 9110 §14.2). Several come back in a multipart answer whose type says nothing of what is
    // in it: where that type decides, the origin answers with the whole instead.
    let one = fields::one_range(asked.headers).unwrap_or(true);
    fields::Rule { known_only, writes, range: *asked.method == Method::GET && (one || !policy.protect) }
}

/// Refuses what gives away a picture untouched, by its name; by its type the answer is looked at.
fn protected(asked: &Asked<'_>, policy: &AccessPolicy, key: &[u8]) -> Result<(), Refusal> {
    match policy.protect && reads(asked.method) && names_picture(key) {
        true => refuse(Kind::Protected, Kind::Protected.sentence()),
        false => Ok(()),
    }
}

type Only = Vec<(Vec<u8>, Vec<u8>)>;

fn read(asked: &Asked<'_>, policy: &AccessPolicy, bucket: bool) -> Result<(Action, Only, Option<String>), Refusal> {
    let found = Found::of(asked, policy)?;
    if !bucket && !found.reserved {
        let version = found.version.clone();
        return Ok((Action::Read, found.of_a_read(), version));
    }
    if !policy.list {
        return refuse(Kind::Forbidden, NO_LISTS);
    }
    let mut only = Only::new();
    for (name, value) in asked.query.iter() {
        if reads_settings(name, bucket) {
            once(&mut only, name, value)?;
        } else if sense(name, value) == Sense::Reserved {
            return refuse(Kind::Forbidden, "this setting is not shown without a signature");
        }
    }
    if !bucket {
        only.extend(found.version.clone().map(|id| (b"versionId".to_vec(), id.into_bytes())));
    }
    Ok((Action::ReadSettings, only, found.version))
}

fn preflight(
    asked: &Asked<'_>,
    policy: &AccessPolicy,
    bucket: bool,
) -> Result<(Action, Only, Option<String>), Refusal> {
    let reserved = asked.query.iter().any(|(name, value)| sense(name, value) == Sense::Reserved);
    match (bucket || reserved) && !policy.list {
        true => refuse(Kind::Forbidden, NO_LISTS),
        false => Ok((Action::Preflight, Only::new(), None)),
    }
}

/// The most parameters that a write has.
const MOST_OF_A_WRITE: usize = 2;

/// A write says what it does by its parameters, all of which must be known: one that is left out would make it another write.
fn write(asked: &Asked<'_>, policy: &AccessPolicy, bucket: bool) -> Result<(Action, Only, Option<String>), Refusal> {
    let mut only = Only::new();
    for (name, value) in asked.query.iter().filter(|(name, value)| sense(name, value) != Sense::Idle) {
        once(&mut only, name, value)?;
        // Before the next is compared with all: a head holds thousands.
        if only.len() > MOST_OF_A_WRITE {
            return refuse(Kind::Forbidden, OBJECTS_ONLY);
        }
    }
    let mut names: Vec<&[u8]> = only.iter().map(|(name, _)| name.as_slice()).collect();
    names.sort_unstable();
    let version = Found::of(asked, policy)?.version;
    let action = match (asked.method, bucket, names.as_slice()) {
        (&Method::PUT, false, []) => Action::Put,
        (&Method::PUT, false, [b"partNumber", b"uploadId"]) => Action::Upload,
        (&Method::POST, false, [b"uploads"] | [b"uploadId"]) => Action::Upload,
        (&Method::POST, true, [b"delete"]) => Action::DeleteMany,
        (&Method::DELETE, false, [] | [b"versionId"]) => Action::Delete,
        (&Method::DELETE, false, [b"uploadId"]) => Action::Upload,
        _ => return refuse(Kind::Forbidden, OBJECTS_ONLY),
    };
    if action == Action::DeleteMany && asked.path != "/" {
        return refuse(Kind::BadRequest, "the path of a bucket is \"/\"");
    }
    Ok((action, only, version))
}

/// Adds a parameter, which may stand once: of two, each server takes another.
fn once(only: &mut Only, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
    if only.iter().any(|(known, _)| known == name) {
        return refuse(Kind::BadRequest, "a parameter stands twice");
    }
    only.push((name.to_vec(), value.to_vec()));
    Ok(())
}

/// What a query says of a read.
#[derive(Debug, Default)]
struct Found {
    version: Option<String>,
    part: Option<Vec<u8>>,
    overrides: Vec<(String, String)>,
    reserved: bool,
}

impl Found {
    fn of(asked: &Asked<'_>, policy: &AccessPolicy) -> Result<Self, Refusal> {
        let (mut found, wants) = (Self::default(), asked.wants);
        for (name, value) in asked.query.iter() {
            let twice = match sense(name, value) {
                Sense::Version => {
                    let id = std::str::from_utf8(value)
                        .ok()
                        .filter(|id| !id.is_empty() && !id.chars().any(char::is_control));
                    let Some(id) = id else { return refuse(Kind::BadRequest, "versionId is empty or no text") };
                    found.version.replace(id.to_owned()).is_some()
                }
                Sense::PartNumber => found.part.replace(value.to_vec()).is_some(),
                Sense::Override => {
                    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                    let value = String::from_utf8_lossy(value).into_owned();
                    // A value that cannot stand in a header field is nobody's. Where originals are protected, the type
                    // of what is stored tells them: it stays the store's.
                    let judged = policy.protect && wants == Wants::Stored && name == CONTENT_TYPE;
                    let taken = policy.overrides && !judged && !value.chars().any(char::is_control);
                    let twice = taken && found.overrides.iter().any(|(known, _)| *known == name);
                    if taken {
                        found.overrides.push((name, value));
                    }
                    twice
                }
                Sense::Reserved => {
                    found.reserved = true;
                    false
                }
                Sense::Idle | Sense::Unknown => false,
            };
            if twice {
                return refuse(Kind::BadRequest, "a parameter stands twice");
            }
        }
        Ok(found)
    }

    /// The parameters of a plain read.
    fn of_a_read(self) -> Only {
        let version = self.version.map(|id| (b"versionId".to_vec(), id.into_bytes()));
        let part = self.part.map(|part| (b"partNumber".to_vec(), part));
        let overrides = self.overrides.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes()));
        version.into_iter().chain(part).chain(overrides).collect()
    }
}
