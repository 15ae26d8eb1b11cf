//! When a connection has had its time. Pure: what has been counted and the time in, a verdict out.

use std::time::Duration;

use crate::config::ServerConfig;

/// The limits of one connection; `[server]` of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionBounds {
    /// For a whole request head, from its first byte; for the first one, and for TLS before it, from the connection's start.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Without a byte of a body, in the direction that waits for the client.
    pub stall: Duration,
    /// For one request: head, body and answer. Zero: none.
    pub request: Duration,
    /// Bytes per second, on average over `stall`, of what waits for the client. Zero: none.
    pub min_rate: u64,
    /// Bytes of a request's head.
    pub max_head: u64,
}

/// Which limit ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Bound {
    /// The head did not come in time.
    Head = 1,
    /// The head is too large.
    HeadSize,
    /// No request came.
    Idle,
    /// The client neither took nor gave.
    Stall,
    /// The client took or gave too slowly.
    Rate,
    /// The request as a whole took too long.
    Request,
    /// TLS was not agreed on in time.
    Handshake,
    /// There are too many connections.
    Total,
    /// There are too many connections from this address.
    Client,
}

impl Bound {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Head,
        Self::HeadSize,
        Self::Idle,
        Self::Stall,
        Self::Rate,
        Self::Request,
        Self::Handshake,
        Self::Total,
        Self::Client,
    ];

    /// For metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::HeadSize => "head_size",
            Self::Idle => "idle",
            Self::Stall => "stall",
            Self::Rate => "rate",
            Self::Request => "request",
            Self::Handshake => "handshake",
            Self::Total => "total",
            Self::Client => "client",
        }
    }

    /// The other way from `as u8`.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|bound| *bound as u8 == number)
    }
}

/// Bytes in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// All that have been moved.
    pub total: u64,
    /// Of those to the client, all that its system has confirmed: between us and it lie megabytes of buffers. Known while we
    /// wait, and where our system tells.
    pub confirmed: Option<u64>,
    /// Since when we have waited for the client, in milliseconds of the connection.
    pub waiting: Option<u64>,
}

/// A connection at one moment; times in milliseconds since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// The time.
    pub now: u64,
    /// Requests under way: at most one for HTTP/1.
    pub open: u32,
    /// Of them, those whose body is still to come.
    pub bodies: u32,
    /// Whether this is HTTP/2, where requests overlap and each has a time of its own.
    pub h2: bool,
    /// Whether a request has ever come.
    pub served: bool,
    /// When the last request began, or ended if none is under way.
    pub since: u64,
    /// The first byte of a next head.
    pub first_byte: Option<u64>,
    /// From the client.
    pub read: Flow,
    /// To the client.
    pub written: Flow,
    /// Whether there are so many connections that idle ones have to go.
    pub crowded: bool,
    /// Results that it holds while there is little room for such.
    pub pressed: u32,
}

/// What is remembered between two looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch {
    read: Pace,
    written: Pace,
}

/// How much is moved while we wait for the client; empty while we do not.
#[derive(Debug, Clone, Copy, Default)]
struct Pace(Option<Window>);

#[derive(Debug, Clone, Copy)]
struct Window {
    opened: u64,
    /// What had been moved then.
    from: u64,
    /// What has been moved by now, and since when it has been no more.
    moved: u64,
    still: u64,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An idle connection may stay so long when the house is full, and who takes nothing of a result when memory for such is short.
const CROWDED: u64 = 2_000;

/// Bytes per second to be taken of each result then.
const PRESSED_RATE: u64 = 64 << 10;

impl ConnectionBounds {
    /// As the configuration says.
    pub fn of(config: &ServerConfig) -> Self {
        Self {
            head: config.head_timeout,
            idle: config.idle_timeout,
            stall: config.stall_timeout,
            request: config.request_timeout,
            min_rate: config.min_rate,
            // The request line and what separates fields are not counted where a limit is promised.
            max_head: config.max_header.saturating_add(1_024),
        }
    }

    /// How often a connection is looked at: bounds are that coarse.
    pub fn tick(&self) -> Duration {
        let least = self.head.min(self.idle).min(self.stall);
        (least / 4).clamp(Duration::from_millis(5), Duration::from_millis(2_500))
    }
}

impl Watch {
    /// Whether a bound has been passed; else when to look again, in milliseconds of the connection.
    ///
    /// # Errors
    /// The bound.
    pub fn look(&mut self, bounds: &ConnectionBounds, moment: &Moment) -> Result<u64, Bound> {
        let Moment { now, .. } = *moment;
        let stall = millis(bounds.stall);
        let reading = Flow { waiting: moment.read.waiting.filter(|_| moment.bodies > 0), ..moment.read };
        let (patience, rate) = match u64::from(moment.pressed) {
            0 => (stall, bounds.min_rate),
            results => (stall.min(CROWDED), bounds.min_rate.max(results * PRESSED_RATE)),
        };
        self.written.look(now, &moment.written, patience, rate)?;
        self.read.look(now, &reading, stall, bounds.min_rate)?;
        let deadline = self.deadline(bounds, moment);
        match deadline {
            Some((at, bound)) if now >= at => Err(bound),
            Some((at, _)) => Ok(at.min(now.saturating_add(millis(bounds.tick())))),
            None => Ok(now.saturating_add(millis(bounds.tick()))),
        }
    }

    fn deadline(&self, bounds: &ConnectionBounds, moment: &Moment) -> Option<(u64, Bound)> {
        let after = |since: u64, bound: Duration| since.saturating_add(millis(bound));
        if moment.open > 0 {
            // Requests of HTTP/2 are timed one by one, where they are answered.
            let bounded = !moment.h2 && !bounds.request.is_zero();
            return bounded.then(|| (after(moment.since, bounds.request), Bound::Request));
        }
        if !moment.served {
            return Some((after(0, bounds.head), Bound::Head));
        }
        match moment.first_byte.filter(|_| !moment.h2) {
            Some(first) => Some((after(first, bounds.head), Bound::Head)),
            None => {
                let idle = if moment.crowded { millis(bounds.idle).min(CROWDED) } else { millis(bounds.idle) };
                Some((moment.since.saturating_add(idle), Bound::Idle))
            }
        }
    }
}

impl Pace {
    fn look(&mut self, now: u64, flow: &Flow, stall: u64, rate: u64) -> Result<(), Bound> {
        let Some(since) = flow.waiting else {
            self.0 = None;
            return Ok(());
        };
        let moved = flow.confirmed.unwrap_or(flow.total);
        // Who is waited for at each look has been waited for all the time.
        let window = self.0.get_or_insert(Window { opened: now, from: moved, moved, still: since });
        if window.moved != moved {
            (window.moved, window.still) = (moved, now);
        }
        if now.saturating_sub(window.still.max(since)) >= stall {
            return Err(Bound::Stall);
        }
        let waited = now.saturating_sub(window.opened);
        if waited < stall {
            return Ok(());
        }
        let taken = moved.saturating_sub(window.from);
        (window.opened, window.from) = (now, moved);
        match taken.saturating_mul(1_000) < rate.saturating_mul(waited) {
            true if taken == 0 => Err(Bound::Stall),
            true => Err(Bound::Rate),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: ConnectionBounds = ConnectionBounds {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        stall: Duration::from_secs(30),
        request: Duration::from_secs(600),
        min_rate: 1_000,
        max_head: 1 << 15,
    };

    /// Looks at a connection as often as it asks for, until it ends or two hours have passed.
    fn end(mut at: impl FnMut(u64) -> Moment) -> Option<(u64, Bound)> {
        let (mut watch, mut now) = (Watch::default(), 0);
        while now < 7_200_000 {
            match watch.look(&BOUNDS, &Moment { now, ..at(now) }) {
                Ok(next) => {
                    assert!(next > now, "a look at {now} asks for {next}");
                    now = next;
                }
                Err(bound) => return Some((now, bound)),
            }
        }
        None
    }

    #[test]
    fn each_bound_ends_what_it_is_for() {
        let waiting = |since: u64, total: u64| Flow { total, waiting: Some(since), confirmed: None };
        let served = Moment { served: true, ..Moment::default() };
        let open = Moment { open: 1, ..served };
        let cases: [(&str, Box<dyn FnMut(u64) -> Moment>, Option<(u64, Bound)>); 17] = [
            ("nothing ever", Box::new(|_| Moment::default()), Some((10_000, Bound::Head))),
            (
                "a first head that drips",
                Box::new(|now| Moment { first_byte: Some(now.min(3)), ..Moment::default() }),
                Some((10_000, Bound::Head)),
            ),
            ("kept and silent", Box::new(move |_| Moment { since: 500, ..served }), Some((75_500, Bound::Idle))),
            (
                "kept, then a head that drips",
                Box::new(move |now| Moment { first_byte: (now >= 40_000).then_some(40_000), ..served }),
                Some((50_000, Bound::Head)),
            ),
            ("crowded", Box::new(move |_| Moment { crowded: true, ..served }), Some((2_000, Bound::Idle))),
            (
                "never reads",
                Box::new(move |_| Moment { written: waiting(1_000, 5), ..open }),
                Some((30_000, Bound::Stall)),
            ),
            (
                "a body that stops",
                Box::new(move |_| Moment { bodies: 1, read: waiting(0, 5), ..open }),
                Some((30_000, Bound::Stall)),
            ),
            (
                "a body that drips",
                Box::new(move |now| Moment { bodies: 1, read: waiting(now.saturating_sub(50), now / 100), ..open }),
                Some((30_000, Bound::Rate)),
            ),
            (
                "reads by the byte",
                Box::new(move |now| Moment { written: waiting(now.saturating_sub(50), now / 100), ..open }),
                Some((30_000, Bound::Rate)),
            ),
            (
                "fast, and waited for at every look",
                Box::new(move |now| Moment {
                    written: waiting(now.saturating_sub(50), now * 10),
                    open: 1,
                    h2: true,
                    ..served
                }),
                None,
            ),
            (
                "our buffers are full for an hour, and the client takes what lies in them",
                Box::new(move |now| Moment {
                    written: Flow { confirmed: Some(now * 2), ..waiting(1_000, 5_000_000) },
                    open: 1,
                    h2: true,
                    ..served
                }),
                None,
            ),
            (
                "our buffers are full, and it takes too little",
                Box::new(move |now| Moment {
                    written: Flow { confirmed: Some(now / 2), ..waiting(1_000, 5_000_000) },
                    ..open
                }),
                Some((30_000, Bound::Rate)),
            ),
            (
                "a result that is read at its ease",
                Box::new(move |now| Moment { written: waiting(1_000, now * 20), h2: true, ..open }),
                None,
            ),
            (
                "a result that is read at its ease while memory is short",
                Box::new(move |now| Moment { written: waiting(1_000, now * 20), h2: true, pressed: 1, ..open }),
                Some((2_500, Bound::Rate)),
            ),
            (
                "several that are read fast enough for one",
                Box::new(move |now| Moment { written: waiting(1_000, now * 70), h2: true, pressed: 2, ..open }),
                Some((2_500, Bound::Rate)),
            ),
            (
                "fast enough",
                Box::new(move |now| Moment { written: waiting(1_000, now * 70), h2: true, pressed: 1, ..open }),
                None,
            ),
            ("a conversion without end", Box::new(move |_| open), Some((600_000, Bound::Request))),
        ];
        for (what, at, want) in cases {
            assert_eq!(end(at), want, "{what}");
        }
    }

    #[test]
    fn what_is_not_waited_for_is_not_slow() {
        // A request without a body is watched for the client's leaving: its silence is no fault.
        let watched = |_| Moment {
            open: 1,
            h2: true,
            served: true,
            read: Flow { waiting: Some(0), ..Flow::default() },
            ..Moment::default()
        };
        assert_eq!(end(watched), None);
    }

    #[test]
    fn numbers_name_bounds() {
        for bound in Bound::ALL {
            assert_eq!(Bound::from_number(bound as u8), Some(bound));
        }
        assert_eq!(Bound::from_number(0), None);
    }
}
