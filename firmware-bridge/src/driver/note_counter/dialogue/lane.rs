//! A day at a lane with a bulk counter whose connection is cut at any message.
//!
//! A WebSocket runs over TCP, which sends a corrupted segment again: what a bad line leaves are
//! connections that break, before or behind any message, and messages that come half.

use serde_json::json;
use tidewaiter_proto::body::Certainty;

use super::{Dialogue, Output};
use crate::configuration::Inked;
use crate::simulate::note_counter::Counter;

/// Luck, from a seed.
struct Luck(u64);

impl Luck {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

struct World {
    dialogue: Dialogue,
    counter: Counter,
    awaiting: Option<i64>,
    luck: Luck,
    counted: u64,
    counts: usize,
    uncertain: usize,
    lost: usize,
    breaks: usize,
}

impl World {
    fn new() -> Self {
        Self {
            dialogue: Dialogue::new("o-7".into(), Inked::Count),
            counter: Counter::at(String::new()),
            awaiting: None,
            luck: Luck(20_181_116),
            counted: 0,
            counts: 0,
            uncertain: 0,
            lost: 0,
            breaks: 0,
        }
    }

    fn cut(&mut self) -> Vec<Output> {
        self.breaks += 1;
        self.awaiting = None;
        self.dialogue.connected()
    }

    /// Carries on until the counter waits for notes and has none.
    fn run(&mut self, mut outputs: Vec<Output>) {
        loop {
            let mut said = Vec::new();
            let mut broken = false;
            for output in outputs {
                match output {
                    Output::Send(_) if broken => {}
                    Output::Send(_) if self.luck.once_in(100) => broken = true,
                    Output::Send(text) => {
                        said.extend(self.counter.command(&text, &mut self.awaiting));
                    }
                    Output::Counted(count) => {
                        self.counts += 1;
                        self.uncertain += usize::from(count.certainty == Certainty::Uncertain);
                        let pieces = count.items.iter().map(|item| {
                            let amount = item.amount().unwrap().1;
                            u64::try_from(amount).unwrap() / 100
                        });
                        self.counted += pieces.sum::<u64>() + count.suspect.unwrap_or_default();
                    }
                    Output::GiveUp(_) => broken = true,
                    Output::Fault("lost", _) => self.lost += 1,
                    Output::Fault(..) | Output::Well => {}
                }
            }
            if said.is_empty() && !broken {
                let Some(request) = self.awaiting else { return };
                let Some(counted) = self.counter.count(request) else { return };
                self.awaiting = None;
                said = counted;
            }
            outputs = Vec::new();
            for text in said {
                if broken || self.luck.once_in(100) {
                    broken = true;
                    break;
                }
                let half = self.luck.once_in(200);
                let text = if half { text.split_at(text.len() / 2).0 } else { &text };
                outputs.extend(self.dialogue.heard(text));
            }
            if broken {
                // What the host has concluded stands, whatever became of the line since.
                let told = |output: &Output| !matches!(output, Output::Send(_) | Output::GiveUp(_));
                outputs.retain(told);
                let again = self.cut();
                outputs.extend(again);
            }
        }
    }
}

#[test]
fn a_day_at_a_lane_whose_line_breaks_counts_every_note_once_or_says_it_is_not_sure() {
    let mut world = World::new();
    let outputs = world.dialogue.connected();
    world.run(outputs);
    let mut put_in = 0;
    for traveller in 0..288 {
        let pieces = 1 + world.luck.below(2000);
        let suspect = usize::from(world.luck.once_in(20));
        put_in += pieces + suspect as u64;
        let mut load = json!({
            "count": [{"currency": "USD", "denomination": "100", "pieces": pieces}],
            "suspect": vec![json!({"currency": "USD", "denomination": "100"}); suspect],
        });
        if world.luck.once_in(30) {
            load["feed_error"] = json!("doubleNote");
        }
        let before = (world.counted, world.uncertain, world.lost);
        world.counter.play(&load).unwrap();
        for _minute in 0..5 {
            // The cable is pulled; what the counter holds waits for the next connection.
            let outputs = world.cut();
            world.run(outputs);
        }
        let counted = world.counted - before.0;
        let there = pieces + suspect as u64;
        let sure = world.uncertain == before.1 && world.lost == before.2;
        assert!(counted <= there, "traveller {traveller}: {counted} of {there}");
        assert!(counted == there || !sure, "traveller {traveller}: {counted} of {there}");
    }
    let World { counted, counts, uncertain, lost, breaks, .. } = world;
    println!(
        "{put_in} put in, {counted} counted in {counts} counts, {uncertain} uncertain, {lost} lost, {breaks} breaks"
    );
    assert!(breaks > 288 * 5 && counts >= 280, "{counts} counts, {breaks} breaks");
    // The line is bad, not dead.
    assert!(uncertain > 0 && uncertain * 2 < counts, "{uncertain} of {counts}");
}
