//! How long a connection rests whose runs take the process down with them, so that the others get on: the
//! queue and the store would begin it anew at each start.

use std::time::Duration;

use jiff::Timestamp;

use super::due::after;
use crate::runner::CUT_OFF_MAX;
use crate::store::{RunRow, RunState};

/// How long it rests at most, in times of what other failures rest.
const LONGEST: u32 = 128;

/// Until when a connection rests that nobody runs, by its newest run: after the fifth time that its process
/// ended, for longer each time. A time that is past means that it need not.
pub(super) fn rests_until(newest: Option<&RunRow>, again_after: Duration) -> Timestamp {
    let Some(run) = newest.filter(|run| run.state == RunState::Running) else {
        return Timestamp::MIN;
    };
    let resumed = run.cut_off.resumed(run.started_at);
    match resumed.times.checked_sub(CUT_OFF_MAX) {
        None => Timestamp::MIN,
        Some(more) => {
            let times = 2_u32.saturating_pow(more.saturating_add(1)).min(LONGEST);
            let began = run.cut_off.resumed_at.unwrap_or(run.started_at);
            after(began, again_after.saturating_mul(times))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::Report;
    use crate::ports::{Ids as _, SeededIds};
    use crate::store::{ConnectionId, CutOff, RunId, RunKind, Trigger};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run(times: u32, is_put_down: bool) -> RunRow {
        let id = SeededIds::new(1).next(at(0));
        RunRow {
            id: RunId(id),
            connection: ConnectionId(id),
            kind: RunKind::Sync,
            trigger: Trigger::Schedule,
            state: RunState::Running,
            version: 1,
            started_at: at(100),
            ended_at: None,
            report: Report::default(),
            error: None,
            cut_off: CutOff { times, resumed_at: Some(at(1_000)), is_put_down },
        }
    }

    #[test]
    fn what_takes_the_process_down_rests_for_longer_each_time() {
        let until = |times| rests_until(Some(&run(times, false)), Duration::from_secs(30));
        for times in 0..4 {
            assert_eq!(until(times), Timestamp::MIN, "it is resumed at once");
        }
        // The fifth time, and those after it.
        for (times, seconds) in
            [(4, 60), (5, 120), (6, 240), (9, 1_920), (40, 3_840), (u32::MAX - 1, 3_840)]
        {
            assert_eq!(until(times), at(1_000 + seconds), "{times}");
        }
    }

    #[test]
    fn what_was_put_down_or_has_ended_rests_for_nothing() {
        let again_after = Duration::from_secs(30);
        assert_eq!(rests_until(Some(&run(4, true)), again_after), Timestamp::MIN);
        assert_eq!(rests_until(Some(&run(5, true)), again_after), at(1_060), "it did before");
        let ended = RunRow { state: RunState::Failed, ..run(9, false) };
        assert_eq!(rests_until(Some(&ended), again_after), Timestamp::MIN);
        assert_eq!(rests_until(None, again_after), Timestamp::MIN);
    }
}
