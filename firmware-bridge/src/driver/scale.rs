//! Scales: MT-SICS, asked four times a second, or Toledo's continuous output, into
//! `weight_measured`.
//!
//! One reading for each load that comes to rest. A weight in motion or out of range is never one.

use std::time::Duration;

use rust_decimal::Decimal;
use tidewaiter_codec::delimited::{Delimited, Framing, STX};
use tidewaiter_codec::scale::{Continuous, SicsError, Toledo, parse_sics};
use tidewaiter_codec::stream::rescan::Rescan;
use tidewaiter_codec::stream::{Codec, Item};
use tidewaiter_proto::body::{Body, WeightMeasured};
use tokio::time::Instant;

use super::polled::{Action, Host};
use super::session::Broken;

/// The host of a scale.
pub(super) struct Scale {
    lines: Delimited,
    frames: Rescan<Toledo>,
    /// It sends by itself.
    continuous: bool,
    /// The load that was read; `None` while nothing rests on the scale.
    load: Option<(Decimal, String)>,
    heard: Instant,
    ask: Instant,
}

/// A weight, whichever way it came.
struct Shown {
    value: Decimal,
    unit: String,
    stable: bool,
}

impl Scale {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            lines: Delimited::new(Framing::lines()),
            frames: Toledo::codec(),
            continuous: false,
            load: None,
            heard: now,
            ask: now,
        }
    }

    fn line(&mut self, line: &str) -> Vec<Action> {
        // On a line of two wires the question comes back before its answer.
        if line.trim() == "SI" {
            return Vec::new();
        }
        match parse_sics(line) {
            Ok(weight) => {
                self.shown(&Shown { value: weight.value, unit: weight.unit, stable: weight.stable })
            }
            // Between two weights; said by staying so.
            Err(SicsError::NotExecutable) => Vec::new(),
            Err(error) => {
                self.load = None;
                vec![Action::Fault(error.name(), error.to_string())]
            }
        }
    }

    fn frame(&mut self, frame: &Continuous) -> Vec<Action> {
        let Some(value) = frame.weight.filter(|_| !frame.out_of_range) else {
            self.load = None;
            let told = "the scale is out of its range".to_owned();
            return vec![Action::Fault("out_of_range", told)];
        };
        self.shown(&Shown { value, unit: frame.unit.to_owned(), stable: !frame.motion })
    }

    fn shown(&mut self, shown: &Shown) -> Vec<Action> {
        let mut actions = vec![Action::Well];
        if !shown.stable {
            return actions;
        }
        let load = (shown.value, shown.unit.clone());
        let empty = shown.value <= Decimal::ZERO;
        if !empty && self.load.as_ref() != Some(&load) {
            actions.push(Action::Reading(Body::WeightMeasured(WeightMeasured {
                value: shown.value,
                unit: shown.unit.clone(),
                stable: true,
            })));
        }
        self.load = (!empty).then_some(load);
        actions
    }
}

impl Host for Scale {
    fn connected(&mut self, now: Instant) -> Vec<Action> {
        *self = Self { heard: now, ask: now, load: self.load.take(), ..Self::new() };
        Vec::new()
    }

    fn hear(&mut self, bytes: &[u8], now: Instant) -> Vec<Action> {
        self.continuous |= bytes.contains(&STX);
        let mut actions = Vec::new();
        if self.continuous {
            for item in self.frames.feed(bytes) {
                match item {
                    Item::Frame(frame) => {
                        self.heard = now;
                        actions.extend(self.frame(&frame));
                    }
                    Item::Fault(fault) => {
                        actions.push(Action::Fault(fault.name(), fault.to_string()));
                    }
                }
            }
        } else {
            for item in self.lines.feed(bytes) {
                match item {
                    Item::Frame(text) => {
                        self.heard = now;
                        actions.extend(self.line(&text.text));
                    }
                    Item::Fault(fault) => {
                        actions.push(Action::Fault(fault.name(), fault.to_string()));
                    }
                }
            }
        }
        actions
    }

    fn act(&mut self, now: Instant) -> Vec<Action> {
        if now >= self.heard + SILENCE {
            return vec![Action::End(Broken::Gone("the scale does not answer".to_owned()))];
        }
        self.ask = now + PERIOD;
        if self.continuous { Vec::new() } else { vec![Action::Send(b"SI\r\n".to_vec())] }
    }

    fn deadline(&self) -> Instant {
        self.ask.min(self.heard + SILENCE)
    }

    fn broke(&mut self) -> Option<Body> {
        None
    }
}

const PERIOD: Duration = Duration::from_millis(250);
const SILENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::{Action, Host, Scale};
    use tidewaiter_proto::body::Body;
    use tokio::time::Instant;

    fn weights(scale: &mut Scale, text: &[u8]) -> Vec<String> {
        let actions = scale.hear(text, Instant::now());
        let weights = actions.into_iter().filter_map(|action| match action {
            Action::Reading(Body::WeightMeasured(weight)) => {
                assert!(weight.stable);
                Some(format!("{} {}", weight.value, weight.unit))
            }
            _ => None,
        });
        weights.collect()
    }

    #[test]
    fn a_load_that_comes_to_rest_is_read_once() {
        let mut scale = Scale::new();
        let shown =
            b"S S      0.00 kg\r\nS D      1.10 kg\r\nS S      1.92 kg\r\nS S      1.92 kg\r\n";
        assert_eq!(weights(&mut scale, shown), ["1.92 kg"]);
        assert_eq!(weights(&mut scale, b"S S      1.92 kg\r\nS +\r\nS I\r\nES\r\n"), [""; 0]);
        assert_eq!(weights(&mut scale, b"S S 0.00 kg\r\nS S 1.92 kg\r\n"), ["1.92 kg"]);
    }

    #[test]
    fn a_continuous_scale_is_read_without_being_asked() {
        let mut scale = Scale::new();
        // 1.250 kg at rest, then the same in motion, then with a digit flipped on the way.
        let rest = b"\x02\x2D\x30\x20  1250     0\r";
        let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let mut frame = rest.to_vec();
        frame.push(sum(rest).wrapping_neg() & 0x7F);
        assert_eq!(weights(&mut scale, &frame), ["1.250 kg"]);
        frame[8] = b'7';
        assert_eq!(weights(&mut scale, &frame), [""; 0]);
    }
}
