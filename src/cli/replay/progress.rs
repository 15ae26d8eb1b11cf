//! A line on the terminal that tells how far it is; nothing where standard error is no terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::summary::Summary;

/// Cells of the bar.
const CELLS: u64 = 24;

/// The shortest time between two lines.
const PAUSE: Duration = Duration::from_millis(100);

/// The line.
pub(super) struct Progress {
    total: Option<u64>,
    shown: bool,
    began: Instant,
    last: Option<Instant>,
}

impl Progress {
    /// `total` pairs are to come, if that is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self { total, shown: std::io::stderr().is_terminal(), began: Instant::now(), last: None }
    }

    /// Shows what is done.
    pub(super) fn show(&mut self, summary: &Summary) {
        if !self.shown || self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        self.last = Some(Instant::now());
        eprint!("\r\x1b[K{}", line(summary.total, summary.different(), self.total, self.began.elapsed()));
        let _ = std::io::stderr().flush();
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

fn line(done: u64, different: u64, total: Option<u64>, took: Duration) -> String {
    let each_second = done as f64 / took.as_secs_f64().max(0.001);
    let rest = format!("{different} different, {each_second:.0}/s");
    let Some(total) = total.filter(|total| *total > 0) else { return format!("{done} done, {rest}") };
    let full = done.min(total) * CELLS / total;
    let bar: String = (0..CELLS).map(|cell| if cell < full { '#' } else { '-' }).collect();
    let left = ((total.saturating_sub(done)) as f64 / each_second.max(0.001)).min(359_999.0) as u64;
    format!("[{bar}] {done} of {total}, {rest}, {}:{:02} left", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        let at = |done, total| line(done, 1, total, Duration::from_secs(10));
        assert_eq!(at(50, Some(100)), "[############------------] 50 of 100, 1 different, 5/s, 0:10 left");
        assert_eq!(at(50, None), "50 done, 1 different, 5/s");
        assert!(at(0, Some(0)).starts_with("0 done"));
        assert!(at(200, Some(100)).starts_with("[########################] 200 of 100"));
    }
}
