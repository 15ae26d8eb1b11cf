//! What versions 2 and 4 of OSS's signatures share: fields that are signed because the client says so.

use super::fields::listed;
use super::{Message, Why};

/// Fields that are signed without being named.
pub(super) fn is_signed_anyway(name: &str) -> bool {
    name == "content-type" || name == "content-md5" || name.starts_with("x-oss-")
}

/// Reads the list of additional fields, all of which must be there.
pub(super) fn additional(message: &Message<'_>, list: &str) -> Result<Vec<String>, Why> {
    let names = listed(list).ok_or(Why::Malformed("the list of additional headers is too long or names one twice"))?;
    for name in &names {
        if is_signed_anyway(name) {
            return Err(Why::Malformed("the list of additional headers names one that is signed anyway"));
        }
        if name != "host" && !message.headers.contains_key(name) {
            return Err(Why::Missing(name.clone()));
        }
    }
    Ok(names)
}

/// Those of the named fields that a message has and that are not signed anyway, for its signer.
pub(super) fn present(message: &Message<'_>, names: &[&str]) -> Vec<String> {
    let has = |name: &str| match name {
        "host" => !message.hosts.is_empty(),
        _ => message.headers.contains_key(name) && !is_signed_anyway(name),
    };
    let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).filter(|name| has(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What `host` may have been: one try with nothing where it is not signed.
pub(super) fn hosts<'m>(message: &Message<'m>, additional: &[String]) -> impl Iterator<Item = Option<&'m str>> {
    let signed = additional.iter().any(|name| name == "host");
    let none = (!signed).then_some(None);
    none.into_iter().chain(message.hosts().filter(move |_| signed).map(Some))
}

/// The names of all fields that are covered, but for those by their beginning.
pub(super) fn covered(additional: Vec<String>, date: Option<&str>) -> Vec<String> {
    let mut names = additional;
    names.extend(["content-md5", "content-type"].into_iter().chain(date).map(str::to_owned));
    names.sort_unstable();
    names.dedup();
    names
}
