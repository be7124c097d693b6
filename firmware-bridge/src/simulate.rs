//! Simulated devices: real bytes over real transports, as their protocols say.
//!
//! Each owns the device's side of a connection and waits for the bridge as a device would: what is
//! played while nobody listens stays in the device until somebody does. Told what to do by one
//! JSON command a line; answers each with one line.

use std::io::{self, BufRead, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_codec::stream::parse_hex;

pub mod bag;
pub mod boarding_pass;
mod cable;
mod knobs;
pub mod lines;
mod listener;
pub mod note_counter;
pub mod player;
pub mod printer;
pub mod reader;
pub mod scale;
mod terminal;
pub mod validator;
pub mod vessel;
mod web_socket;
pub mod xray;

pub use cable::End;
pub use knobs::{Knobs, Line};
pub use web_socket::Certificate;

/// A device that can be told what to do.
pub trait Simulated: Send {
    /// Where it can be reached.
    fn address(&self) -> String;

    /// Does one thing.
    ///
    /// # Errors
    /// [`PlayError`]; then nothing was sent.
    fn play(&mut self, command: &Value) -> Result<(), PlayError>;

    /// The line that can be made bad; `None` where there is none.
    fn line(&self) -> Option<&dyn Line> {
        None
    }

    /// Turns a knob of its line, pulls its cable, or does one thing.
    ///
    /// # Errors
    /// [`PlayError`].
    fn obey(&mut self, command: &Value) -> Result<(), PlayError> {
        let about_the_line = match self.line() {
            Some(line) => knobs::obeyed(line, command)?,
            None => false,
        };
        if about_the_line { Ok(()) } else { self.play(command) }
    }
}

/// Why a device did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// Not a command of this device.
    #[error("not a command of this device: {0}")]
    Command(#[from] serde_json::Error),
    /// Bytes that are no hex.
    #[error("the bytes are no hex")]
    Hex,
    /// What its protocol cannot say.
    #[error("{0}")]
    Content(String),
    /// Nobody takes what it has to send, and its memory is full.
    #[error("nobody listens, and the device's memory is full")]
    Full,
    /// The transport broke.
    #[error("{0}")]
    Transport(#[from] io::Error),
}

/// Bytes as they are: garbage, torn frames.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    bytes: String,
}

impl Raw {
    /// The bytes of a command that is raw bytes.
    fn of(command: &Value) -> Option<Result<Vec<u8>, PlayError>> {
        command.get("bytes")?;
        let raw = Self::deserialize(command).map_err(PlayError::from);
        Some(raw.and_then(|raw| parse_hex(&raw.bytes).ok_or(PlayError::Hex)))
    }
}

/// Says that the device is ready, then does what it is told until the commands end.
///
/// # Errors
/// When commands cannot be read, or answers not written.
pub fn obey(
    device: &mut dyn Simulated,
    commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let mut answer = |value: Value| -> io::Result<()> {
        writeln!(answers, "{value}")?;
        answers.flush()
    };
    answer(json!({ "ready": device.address() }))?;
    for line in commands.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let command = serde_json::from_str::<Value>(&line).map_err(PlayError::from);
        match command.and_then(|command| device.obey(&command)) {
            Ok(()) => answer(json!({ "done": true }))?,
            Err(error) => answer(json!({ "error": error.to_string() }))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PlayError, Raw, Simulated, obey};
    use serde_json::Value;

    struct Parrot(Vec<u8>);

    impl Simulated for Parrot {
        fn address(&self) -> String {
            "here".into()
        }

        fn play(&mut self, command: &Value) -> Result<(), PlayError> {
            let bytes = Raw::of(command).unwrap_or(Err(PlayError::Content("no".into())))?;
            self.0.extend(bytes);
            Ok(())
        }
    }

    #[test]
    fn every_command_is_answered_and_a_wrong_one_does_not_end_the_device() {
        let mut parrot = Parrot(Vec::new());
        let mut answers = Vec::new();
        let commands = b"{\"bytes\":\"41\"}\nrubbish\n\n{\"bytes\":\"4\"}\n{\"bytes\":\"42\"}\n";
        obey(&mut parrot, commands.as_slice(), &mut answers).unwrap();
        let answers = String::from_utf8(answers).unwrap();
        let lines: Vec<&str> = answers.lines().collect();
        assert_eq!(lines[0], r#"{"ready":"here"}"#);
        assert!(lines[1].contains("done") && lines[2].contains("error"), "{lines:?}");
        assert!(lines[3].contains("no hex") && lines[4].contains("done"), "{lines:?}");
        assert_eq!(parrot.0, b"AB");
    }
}
