//! What every cache tier must do, and one for tests, which keeps bytes in a map and does wrong what a test tells it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use pictor::cache::{CacheTier, ObjectId, Scope, SealedVariant, Tags, VariantKey};
use tokio::sync::Notify;

const PATIENCE: Duration = Duration::from_secs(20);

fn key(site: &str, name: &str) -> VariantKey {
    let object = ObjectId { site: site.into(), store: 1, key: name.into(), version_id: None };
    VariantKey { object, version: 2, plan: "p".into(), class: None, settings: 3, encoder: 4 }
}

fn entry(key: &VariantKey, tags: &Tags, bytes: &'static [u8]) -> SealedVariant {
    SealedVariant { key: key.clone(), tags: tags.clone(), bytes: Bytes::from_static(bytes) }
}

/// Waits until a tier gives this: what it has taken it may keep some time later.
async fn gives(tier: &dyn CacheTier, key: &VariantKey, bytes: Option<&'static [u8]>) {
    let began = Instant::now();
    while tier.find(key).await.as_deref() != bytes {
        assert!(began.elapsed() < PATIENCE, "{}: {key:?} is not {bytes:?}", tier.name());
        tokio::task::yield_now().await;
    }
}

/// The suite. The tier is empty and has room for a few small entries.
pub async fn check(tier: &dyn CacheTier) {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    assert!(!tier.name().is_empty() && tier.name().bytes().all(token));
    assert!(tier.patience() > Duration::ZERO);
    assert_eq!((tier.weight(), tier.entries()), (0, 0));
    // What is kept is given under its key and no other.
    let (a, none) = (key("s", "a/1"), Tags::default());
    assert_eq!(tier.find(&a).await, None);
    tier.keep(entry(&a, &none, b"first"));
    gives(tier, &a, Some(b"first")).await;
    assert!(tier.weight() >= 5 && tier.entries() == 1);
    let object = |change: fn(&mut ObjectId)| {
        let mut other = a.clone();
        change(&mut other.object);
        other
    };
    for other in [
        object(|id| id.site = "t".into()),
        object(|id| id.store = 9),
        object(|id| id.key = "a/2".into()),
        object(|id| id.version_id = Some("v".into())),
        VariantKey { version: 9, ..a.clone() },
        VariantKey { plan: "q".into(), ..a.clone() },
        VariantKey { class: Some(Default::default()), ..a.clone() },
        VariantKey { settings: 9, ..a.clone() },
        VariantKey { encoder: 9, ..a.clone() },
    ] {
        assert_eq!(tier.find(&other).await, None, "{other:?}");
    }
    // The last one counts; an entry may be empty, and is one all the same.
    tier.keep(entry(&a, &none, b"second"));
    gives(tier, &a, Some(b"second")).await;
    tier.keep(entry(&a, &none, b""));
    gives(tier, &a, Some(b"")).await;
    assert_eq!(tier.entries(), 1);
    // It lets go what a scope covers, and nothing else.
    let red = Tags::of("s", Some("red"), None);
    let all = [(key("s", "a/1"), &red), (key("s", "a/2"), &none), (key("s", "b"), &red), (key("t", "a/1"), &none)];
    let own = || Arc::from("s");
    for (scope, gone) in [
        (Scope::Object { site: own(), key: "a/1".into() }, [true, false, false, false]),
        (Scope::Prefix { site: own(), prefix: "a/".into() }, [true, true, false, false]),
        (Scope::Tag { site: own(), tag: "red".into() }, [true, false, true, false]),
        (Scope::Site { site: own() }, [true, true, true, false]),
        (Scope::Site { site: "t".into() }, [false, false, false, true]),
    ] {
        for (key, tags) in &all {
            tier.keep(entry(key, tags, b"x"));
        }
        for (key, _) in &all {
            gives(tier, key, Some(b"x")).await;
        }
        tier.forget(&scope).await;
        for ((key, _), gone) in all.iter().zip(gone) {
            gives(tier, key, (!gone).then_some(b"x")).await;
        }
    }
    tier.forget(&Scope::Site { site: own() }).await;
    tier.forget(&Scope::Site { site: "t".into() }).await;
    assert_eq!((tier.weight(), tier.entries()), (0, 0));
    // Whoever hands over a flood is not held up; what is given of it is right.
    for number in 0..10_000 {
        tier.keep(entry(&key("s", &number.to_string()), &none, b"flood"));
    }
    for number in 0..10_000 {
        assert!(tier.find(&key("s", &number.to_string())).await.is_none_or(|bytes| bytes == "flood"));
    }
}

/// What the map does with what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// Never answers.
    Silent,
    /// Answers when the gate is opened.
    Gated,
    /// Gives bytes of which one is another.
    Damaged,
    /// Gives whatever it has.
    Mixed,
    /// Gives and keeps nothing.
    Gone,
    /// Keeps nothing new and lets nothing go.
    Frozen,
}

/// A tier that keeps bytes in a map. Copies of it are of one map: so several processes share a disk or a bucket.
#[derive(Clone)]
pub struct Map {
    entries: Arc<Mutex<HashMap<u128, SealedVariant>>>,
    mood: Arc<Mutex<Mood>>,
    pub gate: Arc<Notify>,
    finds: Arc<AtomicUsize>,
    keeps: Arc<AtomicUsize>,
    forgets: Arc<AtomicUsize>,
}

impl Map {
    pub fn new(mood: Mood) -> Self {
        Self {
            entries: Arc::default(),
            mood: Arc::new(Mutex::new(mood)),
            gate: Arc::default(),
            finds: Arc::default(),
            keeps: Arc::default(),
            forgets: Arc::default(),
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// How often it was asked for an entry.
    pub fn finds(&self) -> usize {
        self.finds.load(Ordering::SeqCst)
    }

    /// Waits until it has been told to keep and to forget so often, whether or not it did.
    pub async fn told(&self, keeps: usize, forgets: usize) {
        let began = Instant::now();
        while self.keeps.load(Ordering::SeqCst) < keeps || self.forgets.load(Ordering::SeqCst) < forgets {
            assert!(began.elapsed() < PATIENCE, "{:?} of {keeps}, {:?} of {forgets}", self.keeps, self.forgets);
            tokio::task::yield_now().await;
        }
    }

    /// Waits until it holds what is to be told of its entries.
    pub async fn holds(&self, right: impl Fn(&[SealedVariant]) -> bool) {
        let began = Instant::now();
        loop {
            let entries: Vec<_> = self.entries.lock().unwrap().values().cloned().collect();
            if right(&entries) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{} entries", entries.len());
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl CacheTier for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    fn patience(&self) -> Duration {
        // Long enough for a machine with much to do, and for who counts on it being short.
        if self.mood() == Mood::Silent { Duration::from_millis(20) } else { PATIENCE }
    }

    async fn find(&self, key: &VariantKey) -> Option<Bytes> {
        self.finds.fetch_add(1, Ordering::SeqCst);
        let own = self.entries.lock().unwrap().get(&key.digest()).map(|entry| entry.bytes.clone());
        match self.mood() {
            Mood::Well | Mood::Frozen => own,
            Mood::Gone => None,
            Mood::Silent => std::future::pending().await,
            Mood::Gated => {
                self.gate.notified().await;
                own
            }
            Mood::Damaged => own.map(|bytes| {
                let mut bytes = bytes.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                bytes.into()
            }),
            Mood::Mixed => self.entries.lock().unwrap().values().next().map(|entry| entry.bytes.clone()),
        }
    }

    fn keep(&self, entry: SealedVariant) {
        if !matches!(self.mood(), Mood::Gone | Mood::Frozen) {
            self.entries.lock().unwrap().insert(entry.key.digest(), entry);
        }
        self.keeps.fetch_add(1, Ordering::SeqCst);
    }

    async fn forget(&self, scope: &Scope) {
        if self.mood() != Mood::Frozen {
            self.entries.lock().unwrap().retain(|_, entry| !scope.covers(&entry.key.object, &entry.tags));
        }
        self.forgets.fetch_add(1, Ordering::SeqCst);
    }

    fn weight(&self) -> u64 {
        self.entries.lock().unwrap().values().map(|entry| entry.bytes.len() as u64).sum()
    }

    fn entries(&self) -> u64 {
        self.entries.lock().unwrap().len() as u64
    }
}
