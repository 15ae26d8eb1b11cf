//! The queue and the pool's processes in virtual time, with work that no viewer waits for beside viewers.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::lanes::LIGHT_MS;
use super::*;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// What a process takes to start.
const START_MS: u64 = 30;

fn capacity(workers: usize) -> Capacity {
    Capacity { workers, memory: 64 * GIB, worker_memory: 8 * GIB, jobs: 10_000, source_bytes: GIB }
}

fn ticket(id: u64, urgency: Urgency, cpu_ms: u64) -> Ticket {
    Ticket { id, urgency, bytes: MIB, cpu_ms, source_bytes: 1000, deadline: u64::MAX, queued: 0 }
}

/// A job as the simulation knows it.
#[derive(Debug, Clone, Copy)]
struct Job {
    at: u64,
    urgency: Urgency,
    estimate: u64,
    takes: u64,
    bytes: u64,
}

fn job(at: u64, urgency: Urgency, takes: u64) -> Job {
    Job { at, urgency, estimate: takes, takes, bytes: MIB }
}

/// When each job began and ended; `u64::MAX` is never.
type Course = Vec<(u64, u64)>;

/// The pool for so many milliseconds. A job that runs has a core of its own.
fn run(capacity: Capacity, jobs: &[Job], length: u64) -> Course {
    let mut queue = Queue::new(capacity);
    let mut course = vec![(u64::MAX, u64::MAX); jobs.len()];
    let mut coming: Vec<(u64, usize)> = jobs.iter().enumerate().map(|(id, job)| (job.at, id)).collect();
    coming.sort_unstable();
    let mut coming = coming.into_iter().peekable();
    let mut running: Vec<(u64, usize)> = Vec::new();
    let mut processes = capacity.workers + 1;
    let mut starting: VecDeque<u64> = VecDeque::new();
    for now in 0..length {
        running.retain(|(end, id)| {
            if *end == now {
                queue.finish(*id as u64);
                course[*id].1 = now;
            }
            *end > now
        });
        while let Some((_, id)) = coming.next_if(|(at, _)| *at == now) {
            let Job { urgency, estimate, bytes, .. } = jobs[id];
            let ticket = Ticket { bytes, queued: now, ..ticket(id as u64, urgency, estimate) };
            queue.admit(ticket, now).unwrap();
        }
        while starting.front().is_some_and(|ready| *ready <= now) {
            starting.pop_front();
            processes += 1;
        }
        while let Some(ticket) = queue.next(processes - running.len(), now) {
            let id = ticket.id as usize;
            course[id].0 = now;
            running.push((now + jobs[id].takes.max(1), id));
        }
        while processes + starting.len() < capacity.workers + 1 + queue.beside(now) {
            starting.push_back(now + START_MS);
        }
    }
    course
}

/// Viewers, of whom the first has come before anybody else.
fn viewers(jobs: &[(u64, u64)]) -> Vec<Job> {
    let first = [job(0, Urgency::Viewer, 1)];
    first.into_iter().chain(jobs.iter().map(|(at, takes)| job(*at, Urgency::Viewer, *takes))).collect()
}

/// Uploads and batches that always wait.
fn crowd(takes: &[u64]) -> Vec<Job> {
    let of = |urgency| takes.iter().map(move |takes| job(1, urgency, *takes));
    of(Urgency::Upload).chain(of(Urgency::Batch)).collect()
}

fn with(viewers: &[Job], others: &[Job]) -> Vec<Job> {
    [viewers, others].concat()
}

fn count(course: &[(u64, u64)]) -> usize {
    course.iter().filter(|(_, end)| *end < u64::MAX).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever waits besides, and however much of it: every viewer's job, light or heavy, begins when it would have begun.
    #[test]
    fn viewers_do_not_notice_who_is_less_urgent(
        coming in proptest::collection::vec((2..4000u64, prop_oneof![1..8u64, 9..100u64, 101..3000u64]), 1..60),
        takes in proptest::collection::vec(1..4000u64, 1..150),
        workers in 1..5usize,
    ) {
        let viewers = viewers(&coming);
        let alone = run(capacity(workers), &viewers, 12_000);
        let crowded = run(capacity(workers), &with(&viewers, &crowd(&takes)), 12_000);
        prop_assert_eq!(&alone[..], &crowded[..viewers.len()]);
    }

    /// Where memory is short, what runs already may be waited for. Nothing begins before a viewer who waits.
    #[test]
    fn with_little_memory_a_viewer_waits_for_what_runs_and_no_longer(
        (bytes, takes) in (1..3000u64, 101..2000u64), at in 2..3000u64,
        others in proptest::collection::vec((1..1500u64, 1..2000u64), 1..60),
        workers in 2..5usize,
    ) {
        let small = Capacity { memory: 4 * GIB, worker_memory: 4 * GIB, ..capacity(workers) };
        // One heavy job always has memory; this is another.
        let first = Job { bytes: GIB / 2, ..job(0, Urgency::Viewer, 7000) };
        let mut jobs = vec![first, Job { bytes: bytes * MIB, ..job(at, Urgency::Viewer, takes) }];
        for (n, (bytes, takes)) in others.into_iter().enumerate() {
            let urgency = if n % 2 == 0 { Urgency::Upload } else { Urgency::Batch };
            jobs.push(Job { bytes: bytes * MIB, ..job(1, urgency, takes) });
        }
        let course = run(small, &jobs, 6000);
        let began = course[1].0;
        let longest = course[2..].iter().filter(|(start, _)| *start <= at).map(|(_, end)| *end).max().unwrap_or(0);
        prop_assert!(began <= at.max(longest), "came {} began {} others end {}", at, began, longest);
        for (start, _) in &course[2..] {
            prop_assert!(*start <= at || *start >= began, "{} began between {} and {}", start, at, began);
        }
    }

    /// Everybody who was let in is done once, or was taken out: whatever ends early, is killed, or leaves.
    #[test]
    fn nothing_is_lost(
        coming in proptest::collection::vec((0..3usize, 1..6000u64, 1..4000u64, 0..5u8), 1..120),
        workers in 1..5usize,
    ) {
        let mut queue = Queue::new(Capacity { memory: 4 * GIB, ..capacity(workers) });
        let mut open = std::collections::BTreeSet::new();
        let mut left = Vec::new();
        for (id, (urgency, cpu_ms, mib, fate)) in coming.iter().enumerate() {
            let id = id as u64;
            let ticket = Ticket { bytes: mib * MIB, ..ticket(id, Urgency::ALL[*urgency], *cpu_ms) };
            if queue.admit(ticket, id).is_ok() {
                open.insert(id);
            }
            if *fate == 0 && queue.remove(id) {
                open.remove(&id);
            }
            left.push(*fate);
        }
        let mut now = coming.len() as u64;
        while queue.waiting() > 0 {
            let mut began = Vec::new();
            while let Some(ticket) = queue.next(2 * workers + 1 - began.len(), now) {
                began.push(ticket);
            }
            prop_assert!(!began.is_empty(), "{} wait and nothing runs", queue.waiting());
            for ticket in began {
                match std::mem::take(&mut left[ticket.id as usize]) {
                    1 => {
                        queue.give_back(ticket.id);
                        queue.readmit(ticket);
                    }
                    2 => {
                        queue.give_back(ticket.id);
                        prop_assert!(open.remove(&ticket.id));
                    }
                    _ => {
                        queue.finish(ticket.id);
                        prop_assert!(open.remove(&ticket.id), "{} ran twice", ticket.id);
                    }
                }
            }
            now += 10;
        }
        prop_assert!(open.is_empty(), "{:?}", open);
        prop_assert_eq!(queue.running(), 0);
        for urgency in Urgency::ALL {
            prop_assert_eq!(queue.wait_of(&ticket(0, urgency, 1), now), 0, "nothing is left in the sums");
        }
    }
}

/// The heaviest crowd that there is, with thumbnails coming all the time.
#[test]
fn a_thumbnail_begins_at_once_beside_batches_and_uploads_that_never_end() {
    for workers in [1, 2, 4] {
        let thumbnails: Vec<(u64, u64)> = (1..200).map(|n| (n * 40, 4)).collect();
        let viewers = viewers(&thumbnails);
        let course = run(capacity(workers), &with(&viewers, &crowd(&[60_000; 100])), 9000);
        for ((began, _), job) in course.iter().zip(&viewers) {
            assert_eq!(*began, job.at, "{workers} workers");
        }
        let others = course[viewers.len()..].iter().filter(|(began, _)| *began < u64::MAX).count();
        assert_eq!(others, workers, "and as many of them run as there are workers");
    }
}

#[test]
fn batches_have_the_whole_pool_when_nobody_else_is_there() {
    let batches: Vec<Job> = (0..100).map(|_| job(0, Urgency::Batch, 100)).collect();
    for workers in [1, 2, 4] {
        assert_eq!(count(&run(capacity(workers), &batches, 1001)), workers * 10);
    }
}

#[test]
fn batches_leave_a_worker_while_viewers_come_and_uploads_go_first() {
    let viewers = viewers(&[]);
    let batches: Vec<Job> = (0..100).map(|_| job(1, Urgency::Batch, 100)).collect();
    for (workers, of_batches) in [(1, 1), (2, 1), (4, 3)] {
        let course = run(capacity(workers), &with(&viewers, &batches), 1200);
        let done = count(&course[1..]);
        let most = of_batches * 12;
        assert!((most - 2 * of_batches..=most).contains(&done), "{done} of {most}, {workers} workers");
    }
    let both = with(&viewers, &crowd(&[100; 5]));
    let course = run(capacity(1), &both, 2000);
    let (uploads, batches) = course[1..].split_at(5);
    assert!(uploads.iter().map(|(_, end)| end).max() <= batches.iter().map(|(began, _)| began).min());
    assert_eq!(count(&course), 11);
}

/// A cheap upload does not wait behind all dear ones.
#[test]
fn uploads_take_turns_by_time() {
    let dear = (0..20).map(|_| job(0, Urgency::Upload, 1000));
    let cheap = (0..10).map(|_| job(0, Urgency::Upload, 50));
    let course = run(capacity(1), &dear.chain(cheap).collect::<Vec<_>>(), 4000);
    assert_eq!(count(&course[20..]), 10);
}

/// Pictures so large that two do not fit together, one of which always waits, on a pool that has idle workers.
#[test]
fn a_batch_does_not_wait_for_ever_beside_idle_workers() {
    let small = Capacity { memory: 6 * GIB, worker_memory: 4 * GIB, ..capacity(4) };
    let mut jobs: Vec<Job> = (0..200).map(|n| Job { bytes: 3 * GIB, ..job(n * 500, Urgency::Viewer, 1100) }).collect();
    jobs.extend((0..3).map(|_| job(1500, Urgency::Batch, 500)));
    let length = 150_000;
    let course = run(small, &jobs, length);
    let batches: Vec<u64> = course[200..].iter().map(|(began, _)| *began).collect();
    assert!(batches.iter().all(|began| (PATIENCE_MS..PATIENCE_MS + 5000).contains(began)), "{batches:?}");
    assert!(batches.windows(2).all(|pair| pair[1] >= pair[0] + 500), "one at a time: {batches:?}");
    let viewers = count(&course[..200]) as u64;
    assert!(viewers >= length / 1100 - 2, "and viewers go on: {viewers}");
}

#[test]
fn who_waits_behind_fills_no_place_of_viewers_and_has_few_of_its_own() {
    let mut queue = Queue::new(Capacity { jobs: 80, ..capacity(1) });
    let mut admitted = |urgency: Urgency, ids: std::ops::Range<u64>| {
        ids.filter(|id| queue.admit(ticket(*id, urgency, LIGHT_MS), 0).is_ok()).count()
    };
    assert_eq!(admitted(Urgency::Batch, 1000..2000), 10);
    assert_eq!(admitted(Urgency::Upload, 2000..3000), 20);
    assert_eq!(admitted(Urgency::Viewer, 0..1000), 80);
    // Bytes of originals are bound in the same way.
    let mut queue = Queue::new(Capacity { jobs: 800, source_bytes: 80_000, ..capacity(1) });
    let mut admitted = |urgency: Urgency, ids: std::ops::Range<u64>| {
        ids.filter(|id| queue.admit(ticket(*id, urgency, LIGHT_MS), 0).is_ok()).count()
    };
    assert_eq!(admitted(Urgency::Batch, 1000..2000), 10);
    assert_eq!(admitted(Urgency::Upload, 2000..3000), 20);
    assert_eq!(admitted(Urgency::Viewer, 0..1000), 80);
}

#[test]
fn lanes_are_by_urgency_first() {
    let queue = Queue::new(capacity(2));
    for cpu_ms in [0, LIGHT_MS, LIGHT_MS + 1, u64::MAX] {
        let lane = |urgency| queue.lane(&ticket(1, urgency, cpu_ms));
        let viewer = if cpu_ms <= LIGHT_MS { Lane::Light } else { Lane::Heavy };
        let lanes = [viewer, Lane::Upload, Lane::Batch];
        assert_eq!(Urgency::ALL.map(lane), lanes, "{cpu_ms}");
    }
}

#[test]
fn workers_are_wanted_beside_the_pool_while_viewers_come_and_others_have_work() {
    let mut queue = Queue::new(capacity(4));
    for id in 0..9 {
        queue.admit(ticket(id, Urgency::Batch, 1000), 0).unwrap();
    }
    assert_eq!(queue.beside(0), 0, "nobody else is there");
    queue.admit(ticket(100, Urgency::Viewer, 1), 0).unwrap();
    assert_eq!(queue.beside(0), 3);
    queue.next(5, 0).unwrap();
    queue.finish(100);
    assert!(queue.next(5, 0).is_none(), "every worker of the pool may be needed by viewers");
    assert_eq!(queue.next(6, 0).unwrap().urgency, Urgency::Batch);
    assert_eq!(queue.beside(0), 3);
    for id in 200..204 {
        queue.admit(ticket(id, Urgency::Upload, 1000), 0).unwrap();
    }
    assert_eq!(queue.beside(0), 4, "uploads may have as many as there are");
    assert_eq!(queue.beside(600_000), 0, "viewers have gone");
}

/// What a viewer's encoder may use of the processor is not told by how many batches there are.
#[test]
fn who_shares_the_processor_is_as_urgent() {
    let mut queue = Queue::new(capacity(4));
    queue.admit(ticket(1, Urgency::Batch, 1000), 0).unwrap();
    queue.next(5, 0).unwrap();
    queue.admit(ticket(2, Urgency::Batch, 1000), 0).unwrap();
    queue.admit(ticket(3, Urgency::Upload, 1000), 0).unwrap();
    queue.admit(ticket(4, Urgency::Viewer, 1000), 0).unwrap();
    assert_eq!(Urgency::ALL.map(|urgency| queue.sharing(urgency)), [1, 2, 4]);
}

/// A batch that came now would have to wait for all that is more urgent; a viewer for none of it.
#[test]
fn waits_are_told_by_urgency() {
    let mut queue = Queue::new(capacity(1));
    queue.admit(ticket(1, Urgency::Batch, 1000), 0).unwrap();
    queue.next(2, 0).unwrap();
    queue.admit(ticket(2, Urgency::Batch, 500), 0).unwrap();
    queue.admit(ticket(3, Urgency::Upload, 700), 0).unwrap();
    let wait = |urgency| queue.wait_of(&ticket(9, urgency, 700), 0);
    assert_eq!(wait(Urgency::Viewer), 0);
    assert_eq!(wait(Urgency::Upload), 1700);
    assert_eq!(wait(Urgency::Batch), 2200);
    let mut queue = Queue::new(capacity(2));
    queue.admit(ticket(1, Urgency::Viewer, 300), 0).unwrap();
    assert_eq!(
        queue.wait_of(&ticket(9, Urgency::Batch, 700), 0),
        150,
        "who waits goes first, if there is a free worker or not"
    );
    let mut queue = Queue::new(capacity(1));
    queue.admit(ticket(1, Urgency::Batch, 1000), 0).unwrap();
    queue.next(2, 0).unwrap();
    queue.admit(ticket(2, Urgency::Upload, 700), 0).unwrap();
    let hasty = |urgency| Ticket { deadline: 1500, ..ticket(10, urgency, 700) };
    assert!(matches!(queue.admit(hasty(Urgency::Upload), 0), Err(Rejection::Late { .. })));
    queue.admit(hasty(Urgency::Viewer), 0).unwrap();
}

/// The processor is shared fairly with nobody: what no viewer waits for takes what viewers leave of it.
#[test]
fn nothing_begins_behind_viewers_who_have_every_worker() {
    let mut queue = Queue::new(capacity(2));
    for id in 0..2 {
        queue.admit(ticket(id, Urgency::Viewer, 1000), 0).unwrap();
        queue.next(9, 0).unwrap();
    }
    queue.admit(ticket(10, Urgency::Upload, 1000), 0).unwrap();
    assert!(queue.next(9, 0).is_none());
    queue.finish(0);
    assert_eq!(queue.next(9, 0).unwrap().id, 10);
}

/// However many workers there are beside the pool, because other sites have kept theirs.
#[test]
fn batches_leave_a_worker_whoever_is_idle() {
    let mut queue = Queue::new(capacity(4));
    queue.admit(ticket(100, Urgency::Viewer, 1), 0).unwrap();
    queue.next(99, 0).unwrap();
    queue.finish(100);
    for id in 0..9 {
        queue.admit(ticket(id, Urgency::Batch, 1000), 0).unwrap();
    }
    let started = std::iter::from_fn(|| queue.next(99, 0)).count();
    assert_eq!(started, 3);
    queue.admit(ticket(200, Urgency::Upload, 1000), 0).unwrap();
    assert_eq!(queue.next(99, 0).unwrap().id, 200, "to uploads too");
}

#[test]
fn of_memory_each_lane_has_its_part_and_light_work_its_own() {
    // An eighth is for light work; batches may have two, uploads four.
    let mut queue = Queue::new(Capacity { memory: 8 * GIB, ..capacity(9) });
    let sized = |queue: &mut Queue, id, urgency, bytes| {
        queue.admit(Ticket { bytes, ..ticket(id, urgency, 1000) }, 0).unwrap();
        let began = queue.next(99, 0).is_some_and(|began| began.id == id);
        assert!(began || queue.remove(id));
        began
    };
    assert!(sized(&mut queue, 1, Urgency::Batch, 3 * GIB / 2), "one may be larger than the part of its lane");
    assert!(!sized(&mut queue, 2, Urgency::Batch, GIB));
    assert!(sized(&mut queue, 3, Urgency::Batch, GIB / 2), "2 of 2");
    assert!(sized(&mut queue, 4, Urgency::Upload, 4 * GIB));
    assert!(!sized(&mut queue, 5, Urgency::Upload, 1), "4 of 4");
    assert!(sized(&mut queue, 6, Urgency::Viewer, GIB), "one heavy job may always run");
    queue.finish(3);
    assert!(!sized(&mut queue, 7, Urgency::Batch, GIB / 2 + 1), "7 of 7, beside light work");
    queue.finish(1);
    queue.finish(4);
    assert!(sized(&mut queue, 8, Urgency::Batch, 6 * GIB), "as large as all that is left");
    assert!(!sized(&mut queue, 9, Urgency::Upload, 1));
}
