//! `tidewaiter-server screen`: names on the lists, many at once.

use std::io::{BufRead, BufWriter, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc;

use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use tidewaiter_risk::policy::{PolicyPack, day_of};
use tidewaiter_risk::screening::{Index, Network, POSSIBLE};

use super::Verdict;
use crate::clock::Clock;
use crate::law;
use crate::screen::{self, Found, Line};

pub(super) const EXAMPLE: &str = "Example:\n  \
echo '{\"id\":1,\"kind\":\"organisation\",\"name\":\"Rungrado\"}' | tidewaiter-server screen --lists lists\n\n\
Reads one JSON object a line: id, kind (person, organisation, vessel, aircraft, address; all when\n\
absent), name, and any fields of a person or party. Prints {id, hits} a line, in the same order;\n\
with --network also what links the party to listed ones, each link with its evidence.\n\
Exit status: 0; 1 when a line could not be asked, which is answered with {id, error}.";

/// Arguments of `screen`.
#[derive(Debug, Args)]
pub(super) struct Screen {
    /// Directory of list bundles, as `lists import` writes them; the small built-in ones when absent.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// How alike names must be, 0 to 1.
    #[arg(long, default_value_t = POSSIBLE, value_parser = threshold)]
    threshold: f64,
    /// Adds what links each party to listed ones: premises, telephones, owners, families of names.
    #[arg(long)]
    network: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Found {
        id: Value,
        hits: Vec<Found>,
        #[serde(skip_serializing_if = "Option::is_none")]
        network: Option<Network>,
    },
    Refused {
        id: Value,
        error: String,
    },
}

/// What questions are put to.
struct Lists {
    index: Index,
    day: Date,
    /// Families of names and common addresses, where links are asked for.
    pack: Option<PolicyPack>,
}

impl Screen {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let lists = Lists {
            index: Index::new(law::lists(self.lists.as_deref())?),
            day: day_of(Clock::system().now()),
            pack: self.network.then(PolicyPack::built_in).transpose()?,
        };
        self.talk(&lists, std::io::BufReader::new(std::io::stdin()), std::io::stdout().lock())
    }

    /// Answers lines in their order. What has come so far is answered together, so that a program
    /// that waits for each answer is not kept waiting for more lines, and a file goes fast.
    fn talk(
        &self,
        lists: &Lists,
        input: impl BufRead + Send + 'static,
        out: impl Write,
    ) -> anyhow::Result<Verdict> {
        let (sender, lines) = mpsc::sync_channel(GROUP);
        // It may wait for a line for ever; it ends with the program or the input.
        std::thread::spawn(move || {
            for line in input.lines() {
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
                    return;
                }
            }
        });
        let mut out = BufWriter::new(out);
        let mut all_asked = true;
        while let Ok(first) = lines.recv() {
            let more = lines.try_iter().take(GROUP - 1);
            let group = std::iter::once(first).chain(more).collect::<Result<Vec<_>, _>>()?;
            for answer in self.answers(lists, &group) {
                all_asked &= matches!(answer, Answer::Found { .. });
                writeln!(out, "{}", serde_json::to_string(&answer)?)?;
            }
            out.flush()?;
        }
        Ok(if all_asked { Verdict::Well } else { Verdict::NotWell })
    }

    /// The answers to a group of lines, in their order; every processor takes its share.
    fn answers(&self, lists: &Lists, group: &[String]) -> Vec<Answer> {
        let lines: Vec<&str> =
            group.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = lines.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = lines
                .chunks(share)
                .map(|chunk| {
                    scope.spawn(move || {
                        chunk.iter().map(|line| self.answer(lists, line)).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        })
    }

    fn answer(&self, lists: &Lists, line: &str) -> Answer {
        let asked: Line = match serde_json::from_str(line) {
            Ok(asked) => asked,
            Err(error) => return Answer::Refused { id: Value::Null, error: error.to_string() },
        };
        match asked.ask(&lists.index, self.threshold, lists.day) {
            Ok(hits) => {
                let network = lists.pack.as_ref().and_then(|pack| {
                    screen::network(&asked.question, &lists.index, pack, lists.day).ok()
                });
                Answer::Found { id: asked.id, hits, network }
            }
            Err(error) => Answer::Refused { id: asked.id, error: error.to_string() },
        }
    }
}

fn threshold(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("it is from 0 to 1".to_owned()) }
}

/// The most lines that are answered together.
const GROUP: usize = 1024;

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};

    use jiff::civil::date;
    use serde_json::Value;
    use tidewaiter_risk::screening::{Index, POSSIBLE};

    use super::{Lists, Screen};

    #[test]
    fn a_line_is_answered_before_the_next_one_comes() {
        let (read_question, mut ask) = std::io::pipe().unwrap();
        let (read_answer, answer) = std::io::pipe().unwrap();
        let told = std::thread::spawn(move || {
            let screen = Screen { lists: None, threshold: POSSIBLE, network: false };
            let index = Index::built_in().unwrap();
            let lists = Lists { index, day: date(2026, 11, 24), pack: None };
            screen.talk(&lists, BufReader::new(read_question), answer).map(|_| ()).unwrap();
        });
        let mut answers = BufReader::new(read_answer);
        for name in ["Rungrado", "Perfectly Ordinary Bakery"] {
            writeln!(ask, r#"{{"id":"{name}","kind":"organisation","name":"{name}"}}"#).unwrap();
            let mut line = String::new();
            // Waits for ever where more lines are waited for.
            answers.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["id"], name);
            assert_eq!(answer["hits"].as_array().unwrap().is_empty(), name != "Rungrado");
        }
        drop(ask);
        told.join().unwrap();
        assert_eq!(answers.lines().count(), 0);
    }
}
