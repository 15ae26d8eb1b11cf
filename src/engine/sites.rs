//! Which sites have had work lately: whether workers have to be kept apart at all, and for how many. Pure: time is a number,
//! in milliseconds on the caller's clock.

use std::collections::VecDeque;
use std::sync::Arc;

/// A site that has had no work for longer does not count.
pub(super) const LATELY_MS: u64 = 600_000;
/// So many are remembered; nobody asks for more.
const MOST: usize = 64;

/// The sites that were seen last, the newest first.
#[derive(Debug, Default)]
pub(super) struct RecentSites {
    seen: VecDeque<(Arc<str>, u64)>,
}

impl RecentSites {
    /// A site has work.
    pub fn see(&mut self, site: &Arc<str>, now: u64) {
        if let Some((newest, at)) = self.seen.front_mut()
            && newest == site
        {
            *at = now;
            return;
        }
        if let Some(before) = self.seen.iter().position(|(other, _)| other == site) {
            self.seen.remove(before);
        }
        self.seen.truncate(MOST - 1);
        self.seen.push_front((site.clone(), now));
    }

    /// Whether more than one has had work lately.
    pub fn several(&self, now: u64) -> bool {
        self.seen.get(1).is_some_and(|(_, at)| now.saturating_sub(*at) < LATELY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_two_within_a_while() {
        let mut sites = RecentSites::default();
        let [a, b]: [Arc<str>; 2] = ["a".into(), "b".into()];
        assert!(!sites.several(0));
        sites.see(&a, 0);
        sites.see(&a, 1);
        assert!(!sites.several(1), "one is not several, however often it comes");
        sites.see(&b, 2);
        assert!(sites.several(3));
        sites.see(&b, LATELY_MS);
        assert!(sites.several(LATELY_MS) && !sites.several(LATELY_MS + 1), "a was last seen at 1");
        sites.see(&a, LATELY_MS + 2);
        assert!(sites.several(LATELY_MS + 2), "b came not long ago");
    }

    #[test]
    fn it_stays_bounded() {
        let mut sites = RecentSites::default();
        for n in 0..1000 {
            sites.see(&format!("site{n}").into(), n);
        }
        assert_eq!(sites.seen.len(), MOST);
    }
}
