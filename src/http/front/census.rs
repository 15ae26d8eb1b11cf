//! How many connections there are, in all and from one client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::bounds::Bound;

/// Counts the connections of one kind of listener.
#[derive(Debug)]
pub struct Census {
    most: usize,
    most_per_client: u32,
    total: AtomicUsize,
    clients: Mutex<HashMap<IpAddr, u32>>,
}

/// A counted connection; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    census: Arc<Census>,
    client: IpAddr,
}

impl Census {
    /// So many connections at most; `most_per_client` = 0: as many from one client.
    pub fn new(most: usize, most_per_client: u32) -> Arc<Self> {
        let most_per_client = if most_per_client == 0 { u32::MAX } else { most_per_client };
        Arc::new(Self { most, most_per_client, total: AtomicUsize::new(0), clients: Mutex::default() })
    }

    /// Counts a connection in.
    ///
    /// # Errors
    /// [`Bound::Total`] or [`Bound::Client`] if there is no place for it.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Bound> {
        let client = client(address);
        if self.total.fetch_add(1, Ordering::AcqRel) >= self.most {
            self.total.fetch_sub(1, Ordering::AcqRel);
            return Err(Bound::Total);
        }
        let mut clients = self.clients.lock();
        let count = clients.entry(client).or_default();
        if *count >= self.most_per_client {
            drop(clients);
            self.total.fetch_sub(1, Ordering::AcqRel);
            return Err(Bound::Client);
        }
        *count += 1;
        drop(clients);
        Ok(Place { census: self.clone(), client })
    }

    /// Connections now.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    /// Whether seven eighths of all places are taken: idle connections have to go.
    pub fn crowded(&self) -> bool {
        self.total() >= self.most - self.most / 8
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.census.clients.lock();
        if let Some(count) = clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&self.client);
            }
        }
        drop(clients);
        self.census.total.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One client is an address of IPv4, or a network of 64 bits of IPv6, which is what one line is given.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let census = Census::new(4, 2);
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = census.enter(at("10.0.0.1")).unwrap();
        let mapped = census.enter(at("::ffff:10.0.0.1")).unwrap();
        assert_eq!(census.enter(at("10.0.0.1")).unwrap_err(), Bound::Client);
        let other = census.enter(at("2001:db8::1")).unwrap();
        let same = census.enter(at("2001:db8::2")).unwrap();
        assert!(census.crowded());
        assert_eq!(census.enter(at("2001:db8:0:1::1")).unwrap_err(), Bound::Total);
        drop(other);
        assert_eq!(census.enter(at("10.0.0.1")).unwrap_err(), Bound::Client);
        let next = census.enter(at("2001:db8:0:1::1")).unwrap();
        assert_eq!(census.total(), 4);
        drop((first, mapped, same, next));
        assert_eq!(census.total(), 0);
        assert!(census.clients.lock().is_empty(), "who has left is forgotten");
    }

    #[test]
    fn without_a_limit_one_client_may_take_all() {
        let census = Census::new(100, 0);
        let places: Vec<_> = (0..101).map(|_| census.enter(IpAddr::from([10, 0, 0, 1]))).collect();
        assert_eq!(places.iter().filter(|place| place.is_ok()).count(), 100);
    }
}
