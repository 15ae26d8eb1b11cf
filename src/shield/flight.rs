//! Single flight: a key, one spawned job, all who wait for it. The job belongs to the table and its runtime, not to the
//! first caller. When the last waiter has gone the job is cancelled by dropping it.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::error::{Error, Kind};

/// The flights under way.
pub struct Flights<K, V> {
    table: Arc<Mutex<Table<K, V>>>,
}

struct Table<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// Numbers flights, so that one that ends late cannot end its successor under the same key.
    next: u64,
}

struct Slot<V> {
    serial: u64,
    /// The other ends are held by the waiters; a waiter that has gone leaves a closed one behind.
    waiters: HashMap<u64, oneshot::Sender<V>>,
    job: Option<AbortHandle>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { table: Arc::new(Mutex::new(Table { slots: HashMap::new(), next: 0 })) }
    }
}

/// One who waits. Dropping it means leaving; the last one to leave stops the job.
pub struct Waiter<K: Eq + Hash + Clone, V> {
    table: Arc<Mutex<Table<K, V>>>,
    key: K,
    /// Waiters have numbers that no two share, of whatever flight.
    id: u64,
    receiver: oneshot::Receiver<V>,
    done: bool,
}

impl<K, V> Flights<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Joins the flight of this key; starts it with `start` if there is none. `start` is called under the table's lock
    /// and must only make the future.
    pub fn join<F>(&self, runtime: &Handle, key: K, start: impl FnOnce() -> F) -> Waiter<K, V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let mut table = self.table.lock();
        table.next += 1;
        let id = table.next;
        if let Some(slot) = table.slots.get_mut(&key) {
            slot.waiters.insert(id, sender);
        } else {
            let serial = id;
            let future = start();
            let (shared, name) = (self.table.clone(), key.clone());
            let slot = Slot { serial, waiters: HashMap::from([(id, sender)]), job: None };
            table.slots.insert(key.clone(), slot);
            // The guard lands the flight however the job ends: a panic drops the senders, and those who wait see it.
            let job = runtime.spawn(async move {
                let mut guard = Landing { table: shared, key: Some(name), serial };
                let value = future.await;
                if let Some(slot) = guard.take() {
                    for (_, waiter) in slot.waiters {
                        let _ = waiter.send(value.clone());
                    }
                }
            });
            if let Some(slot) = table.slots.get_mut(&key) {
                slot.job = Some(job.abort_handle());
            }
        }
        drop(table);
        Waiter { table: self.table.clone(), key, id, receiver, done: false }
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.table.lock().slots.len()
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Takes the flight off the table when its job ends, even by a panic.
struct Landing<K: Eq + Hash, V> {
    table: Arc<Mutex<Table<K, V>>>,
    key: Option<K>,
    serial: u64,
}

impl<K: Eq + Hash, V> Landing<K, V> {
    fn take(&mut self) -> Option<Slot<V>> {
        let key = self.key.take()?;
        let mut table = self.table.lock();
        if table.slots.get(&key)?.serial != self.serial {
            return None;
        }
        table.slots.remove(&key)
    }
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<K, T, E> Future for Waiter<K, Result<T, E>>
where
    K: Eq + Hash + Clone + Unpin,
    E: From<Error>,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let received = std::task::ready!(Pin::new(&mut self.receiver).poll(context));
        self.done = true;
        Poll::Ready(
            received.unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the work ended without a result").into())),
        )
    }
}

impl<K: Eq + Hash + Clone, V> Drop for Waiter<K, V> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut table = self.table.lock();
        let Some(slot) = table.slots.get_mut(&self.key) else { return };
        // Of a flight that has landed, and has a successor by now.
        if slot.waiters.remove(&self.id).is_none() {
            return;
        }
        if slot.waiters.is_empty() {
            // Removed under the same lock that joining takes: nobody can join a flight that is being stopped.
            let slot = table.slots.remove(&self.key);
            drop(table);
            if let Some(job) = slot.and_then(|slot| slot.job) {
                job.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    type Table = Flights<&'static str, Result<usize, Error>>;

    #[tokio::test]
    async fn a_thousand_share_one_job_and_the_first_may_leave() {
        let flights = Table::default();
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut waiters: Vec<_> = (0..1000)
            .map(|_| {
                let (runs, gate) = (runs.clone(), gate.clone());
                flights.join(&Handle::current(), "k", move || async move {
                    gate.notified().await;
                    Ok(runs.fetch_add(1, Ordering::SeqCst) + 41)
                })
            })
            .collect();
        drop(waiters.remove(0));
        gate.notify_one();
        for waiter in waiters {
            assert_eq!(waiter.await, Ok(41));
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert!(flights.is_empty());
    }

    #[tokio::test]
    async fn the_last_to_leave_stops_the_job() {
        struct Dropped(Option<oneshot::Sender<()>>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                let _ = self.0.take().unwrap().send(());
            }
        }
        let flights = Table::default();
        let (sender, receiver) = oneshot::channel();
        let waiter = flights.join(&Handle::current(), "k", move || async move {
            let _guard = Dropped(Some(sender));
            std::future::pending::<()>().await;
            Ok(0)
        });
        tokio::task::yield_now().await;
        drop(waiter);
        assert!(flights.is_empty());
        receiver.await.unwrap();
    }

    /// A job that is stopped ends some time later. By then another may fly under its key, with others who wait.
    #[tokio::test]
    async fn who_ends_late_leaves_the_next_one_alone() {
        let flights = Table::default();
        let first = flights.join(&Handle::current(), "k", std::future::pending);
        tokio::task::yield_now().await;
        drop(first);
        let gate = Arc::new(Notify::new());
        let opened = gate.clone();
        let second = flights.join(&Handle::current(), "k", || async move {
            opened.notified().await;
            Ok(2)
        });
        // The first one's job is dropped here.
        tokio::task::yield_now().await;
        assert_eq!(flights.len(), 1);
        gate.notify_one();
        assert_eq!(second.await, Ok(2));
        assert!(flights.is_empty());
    }

    /// Nor does somebody who leaves when his flight has landed touch the next one.
    #[tokio::test]
    async fn who_leaves_late_leaves_the_next_one_alone() {
        let flights = Table::default();
        let first = flights.join(&Handle::current(), "k", || async { Ok(1) });
        tokio::task::yield_now().await;
        assert!(flights.is_empty(), "landed, and nobody has taken its result");
        let second = flights.join(&Handle::current(), "k", || async { Ok(2) });
        drop(first);
        assert_eq!(second.await, Ok(2));
    }

    #[tokio::test]
    async fn a_panic_reaches_those_who_wait_as_an_error_and_frees_the_key() {
        let flights = Table::default();
        let waiter = flights.join(&Handle::current(), "k", || async { panic!("on purpose") });
        assert_eq!(waiter.await.unwrap_err().kind, Kind::Internal);
        let again = flights.join(&Handle::current(), "k", || async { Ok(7) });
        assert_eq!(again.await, Ok(7));
    }
}
