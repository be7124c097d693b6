//! Configuration files, read and checked before any port is opened. Unknown keys are errors; an
//! error names file, line and key.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;

/// A demonstration: invented data on a clock that is set.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demonstration {
    /// Where the clock starts.
    pub clock: Timestamp,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}", file = file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it must be.
    #[error("{file}:{line}: {key}: {problem}", file = file.display())]
    Wrong {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Which key, as far as it can be told.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The clock a program runs by: the machine's, but in a demonstration.
pub fn clock(demonstration: Option<Demonstration>) -> Clock {
    demonstration.map_or_else(Clock::system, |section| Clock::demonstration(section.clock))
}

/// Reads a configuration; gives its text too, for checks that name a line.
///
/// # Errors
/// [`ConfigurationError`].
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<(String, T), ConfigurationError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigurationError::Unreadable { file: file.to_owned(), source })?;
    let configuration = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, key) = place(&text, at);
        let problem = error.message().to_owned();
        ConfigurationError::Wrong { file: file.to_owned(), line, key, problem }
    })?;
    Ok((text, configuration))
}

/// The line of a byte, from 1, and the key or table that stands there.
fn place(text: &str, at: usize) -> (usize, String) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let content = text.lines().nth(line - 1).unwrap_or_default().trim();
    let key = content.split_once('=').map_or(content, |(key, _)| key.trim());
    (line, key.to_owned())
}

/// A file that was read, for errors about what parses and is wrong all the same.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its text.
    pub text: &'a str,
}

impl Source<'_> {
    /// The error about the first line that begins with `key`.
    pub fn wrong(&self, key: &str, problem: impl Into<String>) -> ConfigurationError {
        self.wrong_at(key, |line| line.starts_with(key), problem)
    }

    /// The error about the first line where `key` stands with this value.
    pub fn wrong_value(
        &self,
        key: &str,
        value: &str,
        problem: impl Into<String>,
    ) -> ConfigurationError {
        let stands = |line: &str| line.starts_with(key) && line.contains(&format!("\"{value}\""));
        self.wrong_at(key, stands, problem)
    }

    fn wrong_at(
        &self,
        key: &str,
        stands: impl Fn(&str) -> bool,
        problem: impl Into<String>,
    ) -> ConfigurationError {
        let line = self
            .text
            .lines()
            .position(|line| stands(line.trim_start()))
            .map_or(1, |index| index + 1);
        ConfigurationError::Wrong {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            problem: problem.into(),
        }
    }
}
