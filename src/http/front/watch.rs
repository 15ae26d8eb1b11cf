//! Runs a connection, and each of its requests, until they end or their time does.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::bounds::{Bound, Watch};
use super::census::Census;
use super::conn::{Conn, WatchedRequest};

/// How long a connection whose time is over may take to say so and to tidy up.
const LINGER: Duration = Duration::from_secs(2);

/// Runs a connection. When a bound is passed its stream fails, so that whoever works on it finishes as with a client that
/// has gone; who does not notice is dropped. One timer for each connection; it is not touched by what passes.
/// `tight`: whether there is little room for results.
pub async fn connection(
    conn: &Conn,
    census: &Census,
    tight: impl Fn() -> bool,
    work: impl Future<Output = ()>,
) -> Option<Bound> {
    let mut work = pin!(work);
    let mut timer = pin!(sleep(conn.bounds.tick()));
    let mut watch = Watch::default();
    let mut lingers = false;
    poll_fn(|cx| {
        loop {
            if work.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if conn.ended().is_some() && !lingers {
                lingers = true;
                timer.as_mut().reset(Instant::now() + LINGER);
            }
            loop {
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if lingers {
                    return Poll::Ready(());
                }
                match watch.look(&conn.bounds, &conn.moment(census.crowded(), tight())) {
                    Ok(next) => timer.as_mut().reset(conn.at(next).into()),
                    Err(bound) => {
                        conn.end(bound);
                        break;
                    }
                }
            }
        }
    })
    .await;
    conn.ended()
}

/// Runs a request: for as long as `total` (HTTP/2; `None`: for ever), and with the origin's answer begun in time. The
/// connection to a late origin is ended, so that the request goes on and can be answered.
pub async fn request<T>(
    request: &Arc<WatchedRequest>,
    total: Option<Duration>,
    work: impl Future<Output = Option<T>>,
) -> Option<T> {
    let _finish = Finish(request);
    let mut work = pin!(work);
    let mut whole: Option<Pin<Box<Sleep>>> = None;
    let mut origin: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            if let Some(total) = total {
                let timer = whole.get_or_insert_with(|| Box::pin(sleep(total)));
                if timer.as_mut().poll(cx).is_ready() {
                    tracing::debug!(client = %request.conn.client, bound = Bound::Request.name(), "a stream was ended");
                    return Poll::Ready(None);
                }
            }
            let Some(by) = request.origin_by().map(Instant::from) else { return Poll::Pending };
            let timer = origin.get_or_insert_with(|| Box::pin(sleep_until(by)));
            if timer.deadline() != by {
                timer.as_mut().reset(by);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            request.give_origin_up();
        }
    })
    .await
}

struct Finish<'a>(&'a WatchedRequest);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}
