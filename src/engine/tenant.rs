//! Whose pictures a worker may see. A file that takes over its worker must not reach another site's answers through it.

use std::sync::Arc;

use crate::plan::Format;

/// Whom a job is for, and whether its files may take a worker over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tenant {
    /// The site's name; work of no site has none.
    pub site: Arc<str>,
    /// Whether a worker that has read this job's files is this site's own from then on, until it is recycled.
    pub risky: bool,
}

impl Tenant {
    /// For a site, with an original and marks of these formats.
    pub fn new(site: Arc<str>, formats: impl IntoIterator<Item = Format>) -> Self {
        Self { site, risky: formats.into_iter().any(Format::is_risky) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_risky_file_is_enough() {
        let tenant = |formats: &[Format]| Tenant::new("a".into(), formats.iter().copied()).risky;
        assert!(!tenant(&[]) && !tenant(&[Format::Jpeg, Format::Png]));
        assert!(tenant(&[Format::Heif]) && tenant(&[Format::Jpeg, Format::Svg]));
    }
}
