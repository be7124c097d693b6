//! What can go wrong on the way from a device: knobs that every simulator has.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::PlayError;

/// A line that can be made bad.
pub trait Line {
    /// Turns a knob; false for a command that is none of theirs.
    ///
    /// # Errors
    /// [`PlayError::Command`] for a knob with a value that it cannot have.
    fn turn(&self, command: &Value) -> Result<bool, PlayError>;

    /// Pulls the cable, and puts it back after this time.
    ///
    /// # Errors
    /// [`PlayError`] when it cannot be put back, or there is none.
    fn unplug(&self, pause: Duration) -> Result<(), PlayError>;
}

/// What happens to the next things sent.
#[derive(Debug, Default)]
pub struct Knobs {
    drop: u32,
    flip: u32,
    repeat: u32,
    delay_ms: u64,
    echo: bool,
}

/// A turn of one knob.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Turn {
    /// So many are lost.
    Drop(u32),
    /// In so many a bit is flipped.
    Flip(u32),
    /// So many are sent twice.
    Repeat(u32),
    /// All wait so many milliseconds.
    DelayMs(u64),
    /// What the bridge sends comes back to it, as on a line of two wires.
    Echo(bool),
}

/// The cable is pulled for so many milliseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unplug {
    unplug_ms: u64,
}

/// Does what a command about the line says; false for a command that is not about the line.
pub(super) fn obeyed(line: &dyn Line, command: &Value) -> Result<bool, PlayError> {
    if command.get("unplug_ms").is_some() {
        let Unplug { unplug_ms } = Unplug::deserialize(command)?;
        line.unplug(Duration::from_millis(unplug_ms.min(LONGEST_MS)))?;
        return Ok(true);
    }
    line.turn(command)
}

impl Knobs {
    /// Turns a knob; false for a command that is none of theirs.
    ///
    /// # Errors
    /// [`PlayError::Command`] for a knob with a value that it cannot have.
    pub(super) fn turn(&mut self, command: &Value) -> Result<bool, PlayError> {
        let is_knob = |name: &&str| command.get(*name).is_some();
        if !["drop", "flip", "repeat", "delay_ms", "echo"].iter().any(is_knob) {
            return Ok(false);
        }
        match Turn::deserialize(command)? {
            Turn::Drop(times) => self.drop = times,
            Turn::Flip(times) => self.flip = times,
            Turn::Repeat(times) => self.repeat = times,
            Turn::DelayMs(milliseconds) => self.delay_ms = milliseconds,
            Turn::Echo(echo) => self.echo = echo,
        }
        Ok(true)
    }

    /// How long to wait before what is sent.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.min(LONGEST_MS))
    }

    /// What the bridge hears of what it says.
    pub(super) fn echo<'a>(&self, heard: &'a [u8]) -> &'a [u8] {
        if self.echo { heard } else { &[] }
    }

    /// What gets onto the line.
    pub(super) fn through(&mut self, bytes: &[u8]) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let once = |left: &mut u32| {
            let now = *left > 0;
            *left = left.saturating_sub(1);
            now
        };
        if once(&mut self.drop) {
            return Vec::new();
        }
        let mut line = bytes.to_vec();
        let middle = line.len() / 2;
        if let Some(byte) = line.get_mut(middle).filter(|_| once(&mut self.flip)) {
            *byte ^= 0x10;
        }
        if once(&mut self.repeat) {
            line.extend_from_within(..);
        }
        line
    }
}

/// A minute is more than any device waits.
const LONGEST_MS: u64 = 60_000;

#[cfg(test)]
mod tests {
    use super::Knobs;
    use serde_json::json;

    #[test]
    fn each_knob_does_its_own_harm_as_often_as_told() {
        let mut knobs = Knobs::default();
        assert!(!knobs.turn(&json!({"bytes": "00"})).unwrap());
        assert!(knobs.turn(&json!({"drop": -1})).is_err());
        for command in [json!({"drop": 1}), json!({"flip": 1}), json!({"repeat": 2})] {
            assert!(knobs.turn(&command).unwrap());
        }
        // Nothing said is nothing lost.
        assert_eq!(knobs.through(b""), b"");
        assert_eq!(knobs.through(b"abc"), b"");
        assert_eq!(knobs.through(b"abc"), b"arcarc");
        assert_eq!(knobs.through(b"abc"), b"abcabc");
        assert_eq!(knobs.through(b"abc"), b"abc");
        knobs.turn(&json!({"delay_ms": 25})).unwrap();
        assert_eq!(knobs.delay().as_millis(), 25);
        assert_eq!(knobs.echo(b"abc"), b"");
        knobs.turn(&json!({"echo": true})).unwrap();
        assert_eq!(knobs.echo(b"abc"), b"abc");
    }
}
