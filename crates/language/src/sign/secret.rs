//! Secrets in memory: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroizing;

/// A secret key. Its `Debug` prints `***`, it has no `Display`, and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// A key pair of an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public half; may be logged.
    pub access_key: String,
    /// The secret half.
    pub secret_key: Secret,
}

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one function that computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let credentials = Credentials { access_key: "AK".into(), secret_key: Secret::new("hush") };
        let printed = format!("{credentials:?} {credentials:#?}");
        assert!(printed.contains("***") && printed.contains("AK"));
        assert!(!printed.contains("hush"));
    }
}
