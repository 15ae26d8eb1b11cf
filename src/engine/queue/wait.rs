//! How long a job would wait: what admission, pressure and `Retry-After` go by.

use super::super::lanes::{Lane, LaneRow, ROWS};
use super::super::urgency::Urgency;
use super::{Queue, Running, Ticket};

impl Queue {
    /// How long a job like this that came now would wait for its start, in milliseconds.
    pub fn wait_of(&self, ticket: &Ticket, now: u64) -> u64 {
        self.wait_in(self.line_of(ticket), now)
    }

    /// How long the dearest job of a lane that came now would wait for its start, in milliseconds.
    pub fn wait_ms(&self, lane: Lane, now: u64) -> u64 {
        let lines = ROWS.iter().enumerate().filter(|(_, row)| row.lane == lane);
        lines.map(|(line, _)| self.wait_in(line, now)).max().unwrap_or(0)
    }

    pub(super) fn wait_in(&self, line: usize, now: u64) -> u64 {
        let row = LaneRow::of(line);
        match row.urgency {
            Urgency::Viewer => self.wait_of_viewer(line, row, now),
            Urgency::Upload | Urgency::Batch => self.wait_behind(line, row, now),
        }
    }

    /// Viewers wait for viewers alone, whoever else is there.
    fn wait_of_viewer(&self, line: usize, row: &LaneRow, now: u64) -> u64 {
        let own = self.lines.get(line).map_or(0, |own| own.cpu_ms);
        let alone = self.lines.get(line).is_none_or(|own| own.waiting.is_empty());
        let yields = row.lane == Lane::Heavy && self.waiting_in(Lane::Light) > 0;
        if alone && !yields && self.has_turn(line, usize::MAX, now) {
            return 0;
        }
        let others = self.others(line, row, own);
        let workers = self.capacity.workers.max(1) as u64;
        let heavy = self.running_in(Lane::Heavy) as u64;
        let light = self.left(now, |running| running.row().lane == Lane::Light);
        // Nobody waits for heavy work but heavy work.
        let (servers, before) = match row.lane {
            Lane::Light => (workers.saturating_sub(heavy).max(1), light),
            _ => (workers, light.saturating_add(self.left(now, |running| running.row().lane == Lane::Heavy))),
        };
        if own == 0 && others == 0 {
            // Until the first who runs has ended.
            let counts = |running: &&Running| {
                let of = running.row();
                of.lane == Lane::Light || (row.lane == Lane::Heavy && of.lane == Lane::Heavy)
            };
            return self.running.values().filter(counts).map(|running| running.left(now)).min().unwrap_or(0).max(1);
        }
        (before.saturating_add(own).saturating_add(others) / servers).max(1)
    }

    /// Who is less urgent waits for all that is more urgent, and for what runs.
    fn wait_behind(&self, line: usize, row: &LaneRow, now: u64) -> u64 {
        let own = self.lines.get(line).map_or(0, |own| own.cpu_ms);
        let alone = self.lines.get(line).is_none_or(|own| own.waiting.is_empty());
        if alone && !self.yields(row.urgency) && self.has_turn(line, usize::MAX, now) {
            return 0;
        }
        let urgent = self.lines.iter().zip(&ROWS).filter(|(_, other)| other.urgency < row.urgency);
        let urgent = urgent.fold(0u64, |sum, (line, _)| sum.saturating_add(line.cpu_ms));
        let before = self.left(now, |_| true).saturating_add(urgent).saturating_add(self.others(line, row, own));
        (before.saturating_add(own) / self.capacity.workers.max(1) as u64).max(1)
    }

    /// What the other lines of an urgency get while a line waits that has so much to do itself: their share for so long, and no
    /// more than they have.
    fn others(&self, line: usize, row: &LaneRow, own: u64) -> u64 {
        let others = self.lines.iter().zip(&ROWS).enumerate();
        let others = others.filter(|(other, (_, of))| *other != line && of.urgency == row.urgency);
        others.fold(0u64, |sum, (_, (it, of))| {
            sum.saturating_add(it.cpu_ms.min(own.saturating_mul(row.factor()) / of.factor()))
        })
    }

    /// What those who run have probably left, together.
    fn left(&self, now: u64, who: impl Fn(&Running) -> bool) -> u64 {
        let running = self.running.values().filter(|running| who(running));
        running.fold(0u64, |sum, running| sum.saturating_add(running.left(now)))
    }
}
