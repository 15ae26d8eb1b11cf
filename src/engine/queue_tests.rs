#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const GIB: u64 = 1 << 30;

fn bounds(workers: usize) -> Bounds {
    Bounds { workers, memory: 6 * GIB, worker_memory: 4 * GIB, jobs: 10_000, source_bytes: GIB }
}

fn ticket(id: u64, lane: Lane, cpu_ms: u64) -> Ticket {
    Ticket { id, lane, bytes: 1 << 20, cpu_ms, source_bytes: 1000, deadline: 30_000, queued: 0 }
}

fn full(workers: usize, lane: Lane, cpu_ms: u64) -> Queue {
    let mut queue = Queue::new(bounds(workers));
    for id in 0..workers as u64 {
        queue.admit(ticket(1_000_000 + id, lane, cpu_ms), 0).unwrap();
        assert!(queue.next(9, 0).is_some());
    }
    queue
}

#[test]
fn first_come_first_served_within_a_lane_and_up_to_the_workers() {
    let mut queue = Queue::new(bounds(2));
    for id in 1..=3 {
        queue.admit(ticket(id, Lane::Light, 50), 0).unwrap();
    }
    assert!(queue.next(0, 0).is_none(), "no worker is ready");
    assert_eq!(queue.next(3, 0).unwrap().id, 1);
    assert_eq!(queue.next(2, 0).unwrap().id, 2);
    assert!(queue.next(1, 0).is_none(), "the spare is not for light behind light");
    queue.finish(1);
    assert_eq!(queue.next(2, 0).unwrap().id, 3);
    assert_eq!((queue.waiting(), queue.running()), (0, 2));
}

#[test]
fn heavy_work_leaves_a_worker_to_light_work_that_waits() {
    let mut queue = Queue::new(bounds(2));
    for id in 1..=3 {
        queue.admit(ticket(id, Lane::Heavy, 1000), 0).unwrap();
    }
    queue.admit(ticket(4, Lane::Light, 50), 0).unwrap();
    queue.admit(ticket(5, Lane::Light, 50), 0).unwrap();
    let first: Vec<u64> = std::iter::from_fn(|| queue.next(2, 0)).map(|ticket| ticket.id).collect();
    assert_eq!(first.len(), 2);
    assert_eq!(first.iter().filter(|&&id| id <= 3).count(), 1, "{first:?}");
}

#[test]
fn without_light_work_heavy_work_takes_all_and_the_spare_serves_one_light_job() {
    let mut queue = full(2, Lane::Heavy, 10_000);
    assert_eq!(queue.wait_ms(Lane::Light, 0), 0, "a light job would start at once");
    queue.admit(ticket(1, Lane::Light, 50), 0).unwrap();
    queue.admit(ticket(2, Lane::Light, 50), 0).unwrap();
    assert_eq!(queue.next(1, 0).unwrap().id, 1);
    assert!(queue.next(1, 0).is_none(), "one at a time");
    queue.finish(1);
    assert_eq!(queue.next(1, 0).unwrap().id, 2);
}

#[test]
fn one_worker_takes_turns_three_to_one_by_time() {
    let mut queue = Queue::new(bounds(1));
    for id in 0..400 {
        queue.admit(Ticket { deadline: u64::MAX, ..ticket(id, Lane::Light, 10) }, 0).unwrap();
        queue.admit(Ticket { deadline: u64::MAX, ..ticket(1000 + id, Lane::Heavy, 100) }, 0).unwrap();
    }
    let (mut light, mut heavy) = (0, 0);
    for _ in 0..110 {
        let ticket = queue.next(1, 0).unwrap();
        match ticket.lane {
            Lane::Light => light += ticket.cpu_ms,
            Lane::Heavy => heavy += ticket.cpu_ms,
        }
        queue.finish(ticket.id);
    }
    let share = light as f64 / heavy as f64;
    assert!((2.0..4.0).contains(&share), "{light} : {heavy}");
}

#[test]
fn a_lane_that_was_idle_does_not_save_up_turns() {
    let mut queue = Queue::new(bounds(1));
    for id in 0..50 {
        queue.admit(ticket(id, Lane::Light, 100), 0).unwrap();
        queue.next(1, 0).unwrap();
        queue.finish(id);
    }
    queue.admit(ticket(100, Lane::Light, 100), 0).unwrap();
    for id in 101..110 {
        queue.admit(ticket(id, Lane::Heavy, 100), 0).unwrap();
    }
    let first: Vec<u64> = (0..3)
        .map(|_| {
            let id = queue.next(1, 0).unwrap().id;
            queue.finish(id);
            id
        })
        .collect();
    assert!(first.contains(&100), "the light job is not put behind fifty turns of heavy ones: {first:?}");
}

#[test]
fn work_that_cannot_be_done_in_time_is_refused_at_once() {
    let mut queue = full(2, Lane::Light, 1000);
    for id in 0..57 {
        queue.admit(ticket(id, Lane::Light, 1000), 0).unwrap();
    }
    let error = queue.admit(ticket(99, Lane::Light, 1000), 0).unwrap_err();
    assert_eq!(error.kind, Kind::Busy);
    assert_eq!(error.retry_after, Some(1));
    let hasty = Ticket { deadline: 2_000, ..ticket(100, Lane::Light, 1000) };
    let error = queue.admit(hasty, 0).unwrap_err();
    assert!(error.retry_after.unwrap() > 20, "{error:?}");
}

#[test]
fn an_idle_pool_tries_what_is_probably_too_slow_but_not_what_is_hopeless() {
    let mut queue = Queue::new(bounds(2));
    queue.admit(ticket(1, Lane::Heavy, 40_000), 0).unwrap();
    assert_eq!(queue.admit(ticket(2, Lane::Heavy, 200_000), 0).unwrap_err().kind, Kind::Deadline);
    let late = Ticket { deadline: 10, ..ticket(3, Lane::Light, 50) };
    assert_eq!(queue.admit(late, 20).unwrap_err().kind, Kind::Deadline);
}

#[test]
fn a_free_worker_means_no_wait() {
    let mut queue = Queue::new(bounds(4));
    queue.admit(ticket(1, Lane::Heavy, 20_000), 0).unwrap();
    queue.next(5, 0).unwrap();
    assert_eq!(queue.wait_ms(Lane::Heavy, 0), 0);
    let mut queue = full(2, Lane::Light, 400);
    assert_eq!(queue.wait_ms(Lane::Light, 100), 300, "until the first worker is free");
    assert_eq!(queue.wait_ms(Lane::Light, 2400), 600, "an overrun job is expected to take a quarter more");
    queue.admit(ticket(1, Lane::Light, 400), 0).unwrap();
    assert_eq!(queue.wait_ms(Lane::Light, 0), 600);
}

#[test]
fn memory_bounds_what_runs_together() {
    let mut queue = Queue::new(bounds(4));
    let big = |id, lane| Ticket { bytes: 3 * GIB + 1, ..ticket(id, lane, 100) };
    assert_eq!(
        queue.admit(Ticket { bytes: 5 * GIB, ..ticket(0, Lane::Heavy, 1) }, 0).unwrap_err().kind,
        Kind::OutOfMemory
    );
    queue.admit(big(1, Lane::Heavy), 0).unwrap();
    queue.admit(big(2, Lane::Heavy), 0).unwrap();
    queue.admit(ticket(3, Lane::Light, 10), 0).unwrap();
    queue.admit(ticket(4, Lane::Light, 10), 0).unwrap();
    let ids: Vec<u64> = std::iter::from_fn(|| queue.next(4, 0)).map(|ticket| ticket.id).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!ids.contains(&2), "two big ones do not fit together: {ids:?}");
    queue.finish(1);
    assert_eq!(queue.next(4, 0).unwrap().id, 2);
}

#[test]
fn a_big_job_is_not_overtaken_for_ever() {
    let mut queue = Queue::new(Bounds { memory: 4 * GIB, ..bounds(3) });
    queue.admit(Ticket { bytes: GIB, ..ticket(1, Lane::Light, 10) }, 0).unwrap();
    queue.next(3, 0).unwrap();
    queue.admit(Ticket { bytes: 4 * GIB, ..ticket(2, Lane::Heavy, 1) }, 0).unwrap();
    queue.admit(ticket(3, Lane::Light, 1), 0).unwrap();
    queue.admit(ticket(4, Lane::Light, 1), 0).unwrap();
    assert_eq!(queue.next(2, 10).unwrap().id, 3, "overtaken while it has not waited long");
    queue.finish(3);
    assert!(queue.next(2, 2_000).is_none(), "the pool drains for it");
    queue.finish(1);
    assert_eq!(queue.next(3, 2_000).unwrap().id, 2);
}

#[test]
fn the_queue_is_capped_by_count_and_by_bytes() {
    let mut queue = Queue::new(Bounds { jobs: 2, source_bytes: 1500, ..bounds(1) });
    queue.admit(Ticket { source_bytes: 9999, ..ticket(1, Lane::Light, 1) }, 0).unwrap();
    queue.next(1, 0).unwrap();
    queue.admit(ticket(2, Lane::Light, 1), 0).unwrap();
    assert_eq!(queue.admit(ticket(3, Lane::Light, 1), 0).unwrap_err().kind, Kind::Busy, "bytes");
    queue.admit(Ticket { source_bytes: 0, ..ticket(4, Lane::Light, 1) }, 0).unwrap();
    assert_eq!(
        queue.admit(Ticket { source_bytes: 0, ..ticket(5, Lane::Light, 1) }, 0).unwrap_err().kind,
        Kind::Busy,
        "jobs"
    );
}

#[test]
fn a_waiting_job_can_leave_and_a_killed_one_comes_back_first() {
    let mut queue = full(1, Lane::Light, 10);
    queue.admit(ticket(1, Lane::Light, 10), 0).unwrap();
    queue.admit(ticket(2, Lane::Light, 10), 0).unwrap();
    assert!(queue.remove(1));
    assert!(!queue.remove(1));
    queue.finish(1_000_000);
    queue.readmit(ticket(7, Lane::Light, 10));
    assert_eq!(queue.next(1, 0).unwrap().id, 7);
    queue.finish(7);
    assert_eq!(queue.next(1, 0).unwrap().id, 2);
    queue.finish(2);
    assert_eq!((queue.waiting(), queue.running()), (0, 0));
    assert_eq!(queue.wait_ms(Lane::Light, 0), 0, "nothing is left in the sums");
}

#[test]
fn sums_survive_absurd_numbers() {
    let mut queue = Queue::new(bounds(1));
    let absurd = |id| Ticket {
        cpu_ms: u64::MAX,
        deadline: u64::MAX,
        bytes: 4 * GIB,
        source_bytes: u64::MAX,
        ..ticket(id, Lane::Heavy, 0)
    };
    queue.admit(absurd(1), 0).unwrap();
    queue.next(1, 0).unwrap();
    assert!(queue.admit(absurd(2), u64::MAX).is_err());
    assert!(queue.wait_ms(Lane::Heavy, u64::MAX) > 0);
}
