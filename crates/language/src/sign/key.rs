//! The keys that clients sign with.

use super::hash::same;
use super::{Clock, Credentials, Secret, Why};

/// A key of a site's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The pair.
    pub credentials: Credentials,
    /// The security token that requests by this key must carry: temporary credentials.
    pub token: Option<Secret>,
    /// The first second, since 1970, at which it may be used.
    pub not_before: Option<i64>,
    /// The last one.
    pub not_after: Option<i64>,
}

impl AccessKey {
    /// A key for all times, without a token.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, token: None, not_before: None, not_after: None }
    }

    /// The secret, for who computes with it.
    pub(super) fn secret(&self) -> &Secret {
        &self.credentials.secret_key
    }

    fn holds(&self, now: i64) -> bool {
        self.not_before.is_none_or(|first| first <= now) && self.not_after.is_none_or(|last| now <= last)
    }

    /// Compares the tokens of a request with the key's; a request may carry several, all of which must be the key's. A space
    /// counts as a plus: COS's Node SDK writes tokens into URLs as they are. A key without a token takes any.
    pub(super) fn check_token<'a>(&self, given: impl IntoIterator<Item = Option<&'a [u8]>>) -> Result<(), Why> {
        let Some(token) = &self.token else { return Ok(()) };
        let mut given = given.into_iter().flatten().peekable();
        let plus = |byte: &u8| if *byte == b' ' { b'+' } else { *byte };
        let right = |given: &[u8]| same(&given.iter().map(plus).collect::<Vec<_>>(), token.expose().as_bytes());
        match given.peek().is_some() && given.all(right) {
            true => Ok(()),
            false => Err(Why::Token),
        }
    }
}

/// The key of this id, and its place, if it may be used now.
pub(super) fn find<'k>(keys: &'k [AccessKey], id: &str, clock: &Clock) -> Result<(usize, &'k AccessKey), Why> {
    let known = keys.iter().enumerate().find(|(_, key)| key.credentials.access_key == id && key.holds(clock.now));
    known.ok_or(Why::UnknownKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, first: Option<i64>, last: Option<i64>) -> AccessKey {
        let credentials = Credentials { access_key: id.into(), secret_key: Secret::new("s") };
        AccessKey { not_before: first, not_after: last, ..AccessKey::new(credentials) }
    }

    #[test]
    fn keys_have_their_time() {
        let keys = [key("a", None, Some(9)), key("b", Some(5), None), key("a", Some(10), None)];
        let place = |id, now| find(&keys, id, &Clock::at(now)).map(|(place, _)| place);
        assert_eq!((place("a", 9), place("a", 10)), (Ok(0), Ok(2)));
        assert_eq!((place("b", 4), place("b", 5)), (Err(Why::UnknownKey), Ok(1)));
        assert_eq!(place("c", 5), Err(Why::UnknownKey));
    }

    #[test]
    fn tokens_must_be_the_keys() {
        let none = key("a", None, None);
        let some = AccessKey { token: Some(Secret::new("T/+=")), ..none.clone() };
        assert_eq!(none.check_token([Some(&b"any"[..])]), Ok(()));
        assert_eq!(some.check_token([None, Some(&b"T/+="[..])]), Ok(()));
        assert_eq!(some.check_token([Some(&b"T/ ="[..])]), Ok(()));
        for wrong in [vec![], vec![None], vec![Some(&b""[..])], vec![Some(&b"T/+="[..]), Some(&b"other"[..])]] {
            assert_eq!(some.check_token(wrong), Err(Why::Token));
        }
    }
}
