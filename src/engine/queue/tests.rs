#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::lanes::TINY_MS;
use super::*;
use crate::error::{Error, Kind};

const GIB: u64 = 1 << 30;
const LIGHT: u64 = 50;
const HEAVY: u64 = 1000;

fn capacity(workers: usize) -> Capacity {
    Capacity { workers, memory: 6 * GIB, worker_memory: 4 * GIB, jobs: 10_000, source_bytes: GIB }
}

fn ticket(id: u64, cpu_ms: u64) -> Ticket {
    let urgency = Urgency::Viewer;
    Ticket { id, urgency, bytes: 1 << 20, cpu_ms, source_bytes: 1000, deadline: 30_000, queued: 0 }
}

fn full(workers: usize, cpu_ms: u64) -> Queue {
    let mut queue = Queue::new(capacity(workers));
    for id in 0..workers as u64 {
        queue.admit(ticket(1_000_000 + id, cpu_ms), 0).unwrap();
        assert!(queue.next(9, 0).is_some());
    }
    queue
}

fn started(queue: &mut Queue, idle: usize) -> Vec<u64> {
    std::iter::from_fn(|| queue.next(idle, 0)).map(|ticket| ticket.id).collect()
}

#[test]
fn first_come_first_served_within_a_line_and_up_to_the_workers() {
    let mut queue = Queue::new(capacity(2));
    for id in 1..=3 {
        queue.admit(ticket(id, LIGHT), 0).unwrap();
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
fn lanes_are_by_the_estimate() {
    let queue = Queue::new(capacity(2));
    let of = |cpu_ms, bytes| queue.lane(&Ticket { bytes, ..ticket(1, cpu_ms) });
    assert_eq!(of(0, 1), Lane::Light);
    assert_eq!(of(LIGHT_MS, 1), Lane::Light);
    assert_eq!(of(LIGHT_MS + 1, 1), Lane::Heavy);
    assert_eq!(of(u64::MAX, 1), Lane::Heavy);
    assert_eq!(of(1, GIB), Lane::Heavy, "memory too");
}

#[test]
fn heavy_work_leaves_a_worker_to_light_work_that_waits() {
    let mut queue = Queue::new(capacity(2));
    for id in 1..=3 {
        queue.admit(ticket(id, HEAVY), 0).unwrap();
    }
    queue.admit(ticket(4, LIGHT), 0).unwrap();
    queue.admit(ticket(5, LIGHT), 0).unwrap();
    let first = started(&mut queue, 2);
    assert_eq!(first.len(), 2);
    assert_eq!(first.iter().filter(|&&id| id <= 3).count(), 1, "{first:?}");
}

#[test]
fn without_light_work_heavy_work_takes_all_and_the_spare_serves_one_light_job() {
    let mut queue = full(2, 10_000);
    assert_eq!(queue.wait_of(&ticket(9, LIGHT), 0), 0, "a light job would start at once");
    queue.admit(ticket(1, LIGHT), 0).unwrap();
    queue.admit(ticket(2, LIGHT), 0).unwrap();
    assert_eq!(queue.next(1, 0).unwrap().id, 1);
    assert!(queue.next(1, 0).is_none(), "one at a time");
    assert!(queue.wait_of(&ticket(9, LIGHT), 0) <= 2 * LIGHT, "nobody waits for heavy work but heavy work");
    queue.finish(1);
    assert_eq!(queue.next(1, 0).unwrap().id, 2);
}

#[test]
fn what_is_tiny_takes_the_spare_whoever_has_the_workers() {
    for cpu_ms in [LIGHT, HEAVY] {
        let mut queue = full(2, cpu_ms);
        queue.admit(ticket(1, LIGHT_MS), 0).unwrap();
        queue.admit(ticket(2, TINY_MS), 0).unwrap();
        assert_eq!(queue.next(1, 0).unwrap().id, 2, "beside {cpu_ms} ms, and first");
        assert!(queue.next(1, 0).is_none());
    }
}

#[test]
fn the_dear_do_not_go_first_because_they_came_first() {
    let mut queue = full(1, LIGHT);
    for id in 0..100 {
        queue.admit(ticket(id, LIGHT_MS), 0).unwrap();
    }
    queue.admit(ticket(200, TINY_MS + 1), 0).unwrap();
    assert!(queue.wait_of(&ticket(9, TINY_MS + 1), 0) < 2 * LIGHT_MS, "nor are they waited for");
    queue.finish(1_000_000);
    assert_eq!(queue.next(1, 0).unwrap().id, 200);
}

#[test]
fn one_worker_takes_turns_three_to_one_by_time() {
    let mut queue = Queue::new(capacity(1));
    let patient = |id, cpu_ms| Ticket { deadline: u64::MAX, ..ticket(id, cpu_ms) };
    for id in 0..400 {
        queue.admit(patient(id, 10), 0).unwrap();
        queue.admit(patient(1000 + id, 120), 0).unwrap();
    }
    let (mut light, mut heavy) = (0, 0);
    for _ in 0..110 {
        let ticket = queue.next(1, 0).unwrap();
        match queue.lane(&ticket) {
            Lane::Light => light += ticket.cpu_ms,
            _ => heavy += ticket.cpu_ms,
        }
        queue.finish(ticket.id);
    }
    let share = light as f64 / heavy as f64;
    assert!((2.0..4.0).contains(&share), "{light} : {heavy}");
}

#[test]
fn a_lane_that_was_idle_does_not_save_up_turns() {
    for (busy, idle) in [(LIGHT, 110), (110, LIGHT), (LIGHT, 10), (110, 4000)] {
        let mut queue = Queue::new(capacity(1));
        for id in 0..50 {
            queue.admit(ticket(id, busy), 0).unwrap();
            queue.next(1, 0).unwrap();
            queue.finish(id);
        }
        // The line that was busy is empty for a moment when the other's jobs come.
        for id in 101..110 {
            queue.admit(Ticket { deadline: u64::MAX, ..ticket(id, idle) }, 0).unwrap();
        }
        queue.admit(Ticket { deadline: u64::MAX, ..ticket(100, busy) }, 0).unwrap();
        let first: Vec<u64> = (0..8)
            .map(|_| {
                let id = queue.next(1, 0).unwrap().id;
                queue.finish(id);
                id
            })
            .collect();
        assert!(first.contains(&100), "{busy} beside {idle} is not put behind fifty turns: {first:?}");
    }
}

#[test]
fn work_that_cannot_be_done_in_time_is_refused_at_once() {
    let mut queue = full(2, HEAVY);
    for id in 0..57 {
        queue.admit(ticket(id, HEAVY), 0).unwrap();
    }
    let refusal = queue.admit(ticket(99, HEAVY), 0).unwrap_err();
    assert!(matches!(refusal, Rejection::Late { .. }), "{refusal:?}");
    let error = Error::from(refusal);
    assert_eq!((error.kind, error.retry_after), (Kind::Busy, Some(1)));
    let hasty = Ticket { deadline: 2_000, ..ticket(100, HEAVY) };
    let error = Error::from(queue.admit(hasty, 0).unwrap_err());
    assert!(error.retry_after.unwrap() > 20, "{error:?}");
}

/// 503 with `Retry-After` at once, in place of a 504 at the deadline.
#[test]
fn what_an_idle_pool_could_not_do_is_refused_at_once_too() {
    let mut queue = Queue::new(capacity(2));
    queue.admit(ticket(1, 40_000), 0).unwrap();
    let refusal = queue.admit(ticket(2, 46_000), 0).unwrap_err();
    assert_eq!(refusal, Rejection::Hopeless { needs_ms: 46_000, left_ms: 30_000 });
    let error = Error::from(refusal);
    assert_eq!((error.kind.status(), error.retry_after), (503, Some(60)));
    let late = Ticket { deadline: 10, ..ticket(3, LIGHT) };
    assert!(matches!(queue.admit(late, 20), Err(Rejection::Hopeless { .. })));
}

#[test]
fn a_free_worker_means_no_wait() {
    let mut queue = Queue::new(capacity(4));
    queue.admit(ticket(1, 20_000), 0).unwrap();
    queue.next(5, 0).unwrap();
    assert_eq!(queue.wait_of(&ticket(9, 20_000), 0), 0);
    let mut queue = full(2, 400);
    assert_eq!(queue.wait_ms(Lane::Heavy, 100), 300, "until the first worker is free");
    assert_eq!(queue.wait_ms(Lane::Heavy, 2400), 600, "an overrun job is expected to take a quarter more");
    queue.admit(ticket(1, 400), 0).unwrap();
    assert_eq!(queue.wait_of(&ticket(9, 400), 0), 600);
}

/// Jobs that are refused when their turn comes, a thousand of them, put nobody of their line behind others.
#[test]
fn who_did_not_run_is_not_charged_for() {
    let mut queue = Queue::new(capacity(1));
    let patient = |id, cpu_ms| Ticket { deadline: u64::MAX, ..ticket(id, cpu_ms) };
    for id in 0..1000 {
        queue.admit(patient(id, LIGHT), 0).unwrap();
        queue.next(1, 0).unwrap();
        queue.give_back(id);
    }
    assert_eq!(queue.running(), 0);
    queue.admit(patient(1001, LIGHT), 0).unwrap();
    queue.admit(patient(1002, LIGHT), 0).unwrap();
    queue.admit(patient(1003, 110), 0).unwrap();
    assert_eq!(queue.next(1, 0).unwrap().id, 1001);
    queue.finish(1001);
    let second = queue.next(1, 0).unwrap().id;
    assert_eq!(second, 1003, "turn by turn, as if nobody had been before");
}

#[test]
fn a_small_machine_has_light_work_too_and_no_more_than_half_for_it() {
    let of = |memory, bytes| Queue::new(Capacity { memory, ..capacity(1) }).lane(&Ticket { bytes, ..ticket(1, 5) });
    // A thumbnail of a photograph is estimated at 60 to 120 MiB, 48 of which is the worker.
    assert_eq!(of(GIB / 2, 120 << 20), Lane::Light);
    assert_eq!(of(GIB / 2, 129 << 20), Lane::Heavy);
    assert_eq!(of(128 << 20, 64 << 20), Lane::Light);
    assert_eq!(of(128 << 20, 65 << 20), Lane::Heavy);
    assert_eq!(of(8 * GIB, GIB), Lane::Light);
}

#[test]
fn memory_bounds_what_runs_together() {
    let mut queue = Queue::new(capacity(4));
    let big = |id| Ticket { bytes: 3 * GIB + 1, ..ticket(id, 100) };
    let refusal = queue.admit(Ticket { bytes: 5 * GIB, ..ticket(0, 1) }, 0).unwrap_err();
    assert_eq!(Error::from(refusal).kind, Kind::OutOfMemory);
    queue.admit(big(1), 0).unwrap();
    queue.admit(big(2), 0).unwrap();
    queue.admit(ticket(3, 10), 0).unwrap();
    queue.admit(ticket(4, 10), 0).unwrap();
    let ids = started(&mut queue, 4);
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!ids.contains(&2), "two big ones do not fit together: {ids:?}");
    queue.finish(1);
    assert_eq!(queue.next(4, 0).unwrap().id, 2);
}

#[test]
fn a_big_job_is_not_overtaken_for_ever_by_heavy_ones_and_holds_up_no_light_one() {
    let mut queue = Queue::new(Capacity { memory: 4 * GIB, ..capacity(3) });
    let heavy = |id, bytes| Ticket { bytes, ..ticket(id, 110) };
    queue.admit(heavy(1, GIB), 0).unwrap();
    queue.next(3, 0).unwrap();
    queue.admit(Ticket { bytes: 4 * GIB, ..ticket(2, 1000) }, 0).unwrap();
    queue.admit(heavy(3, 1), 0).unwrap();
    queue.admit(heavy(4, 1), 0).unwrap();
    assert_eq!(queue.next(2, 10).unwrap().id, 3, "overtaken while it has not waited long");
    queue.finish(3);
    assert!(queue.next(2, 2_000).is_none(), "the pool drains for it");
    queue.admit(Ticket { bytes: GIB / 4, ..ticket(5, LIGHT) }, 2_000).unwrap();
    assert_eq!(queue.next(2, 2_000).unwrap().id, 5, "for heavy work alone");
    queue.finish(1);
    assert_eq!(queue.next(3, 2_000).unwrap().id, 2, "as large as all the memory there is");
    queue.admit(Ticket { bytes: GIB / 4, ..ticket(6, LIGHT) }, 2_000).unwrap();
    queue.finish(5);
    assert_eq!(queue.next(3, 2_000).unwrap().id, 6, "one light job always has memory");
}

#[test]
fn the_queue_is_capped_by_count_and_by_bytes() {
    let mut queue = Queue::new(Capacity { jobs: 2, source_bytes: 1500, ..capacity(1) });
    queue.admit(Ticket { source_bytes: 9999, ..ticket(1, 10) }, 0).unwrap();
    queue.next(1, 0).unwrap();
    queue.admit(ticket(2, 10), 0).unwrap();
    assert!(matches!(queue.admit(ticket(3, 10), 0), Err(Rejection::Full { .. })), "bytes");
    queue.admit(Ticket { source_bytes: 0, ..ticket(4, 10) }, 0).unwrap();
    assert!(matches!(queue.admit(Ticket { source_bytes: 0, ..ticket(5, 10) }, 0), Err(Rejection::Full { .. })), "jobs");
}

#[test]
fn heavy_work_leaves_places_to_light_work() {
    let mut queue = Queue::new(Capacity { jobs: 8, source_bytes: 8000, ..capacity(1) });
    let patient = |id, cpu_ms| Ticket { deadline: u64::MAX, ..ticket(id, cpu_ms) };
    let heavy = (0..20).filter(|id| queue.admit(patient(*id, HEAVY), 0).is_ok()).count();
    let light = (100..120).filter(|id| queue.admit(patient(*id, LIGHT), 0).is_ok()).count();
    assert_eq!((heavy, light), (6, 2));
}

/// Whoever came first: the places of light work are nobody else's, and the queue has an end.
#[test]
fn light_and_heavy_work_share_the_queues_places_and_bytes() {
    let patient = |id, cpu_ms| Ticket { deadline: u64::MAX, ..ticket(id, cpu_ms) };
    let mut queue = Queue::new(Capacity { jobs: 8, ..capacity(1) });
    let light = (0..20).filter(|id| queue.admit(patient(*id, LIGHT), 0).is_ok()).count();
    let heavy = (100..120).filter(|id| queue.admit(patient(*id, HEAVY), 0).is_ok()).count();
    assert_eq!((light, heavy), (8, 0));
    let mut queue = Queue::new(Capacity { source_bytes: 8000, ..capacity(1) });
    let heavy = (0..20).filter(|id| queue.admit(patient(*id, HEAVY), 0).is_ok()).count();
    let light = (100..120).filter(|id| queue.admit(patient(*id, LIGHT), 0).is_ok()).count();
    assert_eq!((heavy, light), (6, 2));
}

/// Also when it is light work's line that has had more of the time.
#[test]
fn heavy_work_does_not_take_the_last_worker_when_its_turn_comes_first() {
    let mut queue = Queue::new(capacity(2));
    queue.admit(ticket(1, 110), 0).unwrap();
    assert_eq!(queue.next(3, 0).unwrap().id, 1);
    for id in 100..120 {
        queue.admit(ticket(id, LIGHT), 0).unwrap();
        queue.next(2, 0).unwrap();
        queue.finish(id);
    }
    queue.admit(ticket(2, 110), 0).unwrap();
    queue.admit(ticket(3, LIGHT), 0).unwrap();
    assert_eq!(queue.next(2, 0).unwrap().id, 3);
}

#[test]
fn light_work_fits_in_the_memory_that_there_is_and_holds_up_no_heavy_work() {
    let mut queue = Queue::new(capacity(6));
    let sized = |id, cpu_ms, bytes| Ticket { bytes, ..ticket(id, cpu_ms) };
    for (id, bytes) in [(1, 4 * GIB), (2, GIB)] {
        queue.admit(sized(id, HEAVY, bytes), 0).unwrap();
        assert_eq!(queue.next(7, 0).unwrap().id, id);
    }
    for id in [3, 4] {
        queue.admit(sized(id, LIGHT, 700 << 20), 0).unwrap();
    }
    assert_eq!(queue.next(7, 0).unwrap().id, 3, "one may always run");
    assert!(queue.next(7, 0).is_none(), "6.4 GiB of 6");
    // Light jobs fill the memory, and one waits for longer than heavy ones are overtaken.
    let mut queue = Queue::new(capacity(9));
    queue.admit(ticket(1, HEAVY), 0).unwrap();
    queue.next(10, 0).unwrap();
    queue.finish(1);
    for id in 10..19 {
        queue.admit(sized(id, LIGHT, 700 << 20), 0).unwrap();
    }
    assert_eq!(started(&mut queue, 10).len(), 8);
    queue.admit(ticket(2, HEAVY), 0).unwrap();
    assert_eq!(queue.next(10, 5000).unwrap().id, 2, "one heavy job may always run");
}

#[test]
fn a_waiting_job_can_leave_and_a_killed_one_comes_back_first() {
    let mut queue = full(1, 10);
    queue.admit(ticket(1, 10), 0).unwrap();
    queue.admit(ticket(2, 10), 0).unwrap();
    assert!(queue.remove(1));
    assert!(!queue.remove(1));
    queue.finish(1_000_000);
    queue.readmit(ticket(7, 10));
    assert_eq!(queue.next(1, 0).unwrap().id, 7);
    queue.finish(7);
    assert_eq!(queue.next(1, 0).unwrap().id, 2);
    queue.finish(2);
    assert_eq!((queue.waiting(), queue.running()), (0, 0));
    assert_eq!(queue.wait_of(&ticket(9, 10), 0), 0, "nothing is left in the sums");
}

#[test]
fn sums_survive_absurd_numbers() {
    let mut queue = Queue::new(capacity(1));
    let absurd =
        |id| Ticket { cpu_ms: u64::MAX, deadline: u64::MAX, bytes: 4 * GIB, source_bytes: u64::MAX, ..ticket(id, 0) };
    queue.admit(absurd(1), 0).unwrap();
    queue.next(1, 0).unwrap();
    assert!(queue.admit(absurd(2), u64::MAX).is_err());
    assert!(queue.wait_ms(Lane::Heavy, u64::MAX) > 0);
}

/// The pool in virtual time: jobs that take what they take, whatever they were estimated at, on cores that those who run share.
mod simulated {
    use proptest::prelude::*;

    use super::super::*;
    use super::capacity;

    /// When it comes, its estimate, and what it takes.
    #[derive(Debug, Clone, Copy)]
    struct Job {
        at: u64,
        estimate: u64,
        takes: u64,
    }

    /// What a thumbnail takes.
    const THUMBNAIL: u64 = 4;
    const DEADLINE: u64 = 30_000;

    /// From each thumbnail's coming to its end, in milliseconds, and how many were refused.
    fn thumbnails(workers: usize, burst: &[Job], seconds: u64) -> (Vec<u64>, usize) {
        let mut queue = Queue::new(capacity(workers));
        let every = |at: u64| at.is_multiple_of(40);
        let mut jobs: Vec<Job> = burst.to_vec();
        jobs.extend((0..seconds * 1000).filter(|at| every(*at)).map(|at| Job {
            at,
            estimate: THUMBNAIL,
            takes: THUMBNAIL,
        }));
        let first = burst.len();
        let mut coming: Vec<(u64, usize)> = jobs.iter().enumerate().map(|(id, job)| (job.at, id)).collect();
        coming.sort_unstable();
        let mut coming = coming.into_iter().peekable();
        let mut running: Vec<(usize, f64)> = Vec::new();
        let (mut took, mut refused) = (Vec::new(), 0);
        for now in 0..seconds * 1000 + DEADLINE {
            if took.len() + refused == jobs.len() - first {
                break;
            }
            while let Some((_, id)) = coming.next_if(|(at, _)| *at <= now) {
                let job = jobs[id];
                let ticket = Ticket {
                    id: id as u64,
                    urgency: Urgency::Viewer,
                    bytes: 1 << 20,
                    cpu_ms: job.estimate,
                    source_bytes: 1,
                    deadline: now + DEADLINE,
                    queued: now,
                };
                refused += usize::from(queue.admit(ticket, now).is_err() && id >= first);
            }
            while let Some(ticket) = queue.next(workers + 1 - running.len(), now) {
                let id = ticket.id as usize;
                running.push((id, jobs[id].takes as f64));
            }
            let each = (workers as f64 / running.len().max(1) as f64).min(1.0);
            running.iter_mut().for_each(|(_, left)| *left -= each);
            running.retain(|(id, left)| {
                if *left <= 0.0 {
                    queue.finish(*id as u64);
                    if *id >= first {
                        took.push(now + 1 - jobs[*id].at);
                    }
                }
                *left > 0.0
            });
        }
        assert_eq!(took.len() + refused, jobs.len() - first, "every thumbnail is done or refused");
        took.sort_unstable();
        (took, refused)
    }

    fn burst(count: u64, estimate: u64, takes: u64) -> Vec<Job> {
        (0..count).map(|n| Job { at: n % 20, estimate, takes }).collect()
    }

    /// What came while thumbnails waited for 7 to 10 seconds, with what it takes today beside its estimate at worst.
    #[test]
    fn a_thumbnail_waits_for_none_of_the_bursts() {
        let bursts = [
            ("small AVIFs", burst(80, 90, 120)),
            ("small AVIFs above the light lane", burst(80, 110, 150)),
            ("tiny animations", burst(60, 400, 600)),
            ("AVIFs of quality 90", burst(40, 2000, 3000)),
            ("AVIFs of quality 100", burst(120, 3500, 5000)),
            ("AVIFs without loss", burst(40, 3000, 4500)),
            ("WebPs without loss", burst(10, 11_000, 15_000)),
            ("deep TIFFs", burst(60, 1500, 2000)),
            ("thumbnails", burst(1000, 4, 4)),
            (
                "everything",
                [burst(60, 90, 120), burst(60, 400, 600), burst(20, 2000, 3000), burst(20, 30, 40)].concat(),
            ),
        ];
        for workers in [1, 2, 4] {
            for (name, burst) in &bursts {
                // A thousand thumbnails are four seconds of one core's work, whoever comes first.
                if *name == "thumbnails" && workers < 2 {
                    continue;
                }
                let (took, refused) = thumbnails(workers, burst, 20);
                let p99 = took[took.len() * 99 / 100];
                let bound = match *name {
                    "thumbnails" => 2_500,
                    // Two processes share the only core.
                    _ if workers == 1 => 300,
                    _ => 250,
                };
                assert!(p99 <= bound && refused == 0, "{name}, {workers} workers: p99 {p99} ms, {refused} refused");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever is asked for, however much of it: as long as it takes no more than twice its estimate, a thumbnail waits
        /// for one light job and for its own kind, and is not refused.
        #[test]
        fn a_light_job_waits_for_a_bounded_time(
            kinds in proptest::collection::vec((1..200u64, 9..6000u64, 1..=20u64), 1..4),
            workers in 1..4usize,
        ) {
            let burst: Vec<Job> = kinds
                .iter()
                .flat_map(|&(count, estimate, tenths)| burst(count, estimate, (estimate * tenths).div_ceil(10)))
                .collect();
            let (took, refused) = thumbnails(workers, &burst, 5);
            // Twice the dearest light job, on cores that one more than there are shares, and then its own turn.
            let most = 2 * LIGHT_MS * (workers as u64 + 1) / workers as u64 + 60;
            prop_assert!(took.last().is_none_or(|longest| *longest <= most), "{:?} of {}", took.last(), most);
            prop_assert_eq!(refused, 0);
        }
    }
}
