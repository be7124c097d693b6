//! From a device's bytes to the alert on the supervisor's live stream.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tidewaiter_tests::checkpoint::Checkpoint;
use tidewaiter_tests::story;

/// Travellers with too much cash, one after the other.
pub(crate) struct Alarms {
    live: Receiver<String>,
    travellers: u32,
}

impl Alarms {
    /// Follows the live stream of a server.
    pub(crate) fn follow(checkpoint: &Checkpoint) -> Result<Self> {
        let url = format!("{}api/v1/live", checkpoint.desk().url());
        let stream = ureq::get(url).call()?.into_body().into_reader();
        let (sender, live) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Some(data) = line.strip_prefix("data:")
                    && sender.send(data.trim().to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { live, travellers: 0 })
    }

    /// Goes on with another stream: the server was started anew.
    pub(crate) fn follow_again(self, checkpoint: &Checkpoint) -> Result<Self> {
        Ok(Self { travellers: self.travellers, ..Self::follow(checkpoint)? })
    }

    /// One traveller; gives the milliseconds from the counter's bytes to the alert.
    pub(crate) fn one(&mut self, checkpoint: &mut Checkpoint) -> Result<f64> {
        self.travellers += 1;
        checkpoint.station().post("/api/v1/next", &json!({}))?;
        checkpoint.devices.reader.tell(&json!({"document": {
            "type": "passport", "number": format!("B{:08}", self.travellers),
            "issuing_state": "PRK", "surname": "KIM", "given_names": "CHOL SU",
            "date_of_birth": "1975-03-02", "sex": "M", "nationality": "PRK",
            "expires_on": "2023-03-01",
        }}))?;
        let inspection = story::await_open(checkpoint)?;
        story::await_records(checkpoint, &inspection, &["document_read"])?;
        let began = Instant::now();
        checkpoint.devices.counter.tell(&json!({"count": [
            {"currency": "USD", "denomination": "100", "pieces": 1923},
        ]}))?;
        loop {
            let line = self.live.recv_timeout(PATIENCE).context("no alert came in time")?;
            let data: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            let alert = &data["alert"];
            if alert["inspection"] == inspection && alert["code"] == "undeclared_cash" {
                return Ok(began.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
}

const PATIENCE: Duration = Duration::from_mins(1);
