//! `tidewaiter-server match`: the name matcher alone, on pairs of names.

use anyhow::Context;
use clap::Args;
use csv::StringRecord;
use tidewaiter_risk::screening::Matcher;

use super::{Usage, Verdict};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-server match < pairs.csv > scores.csv\n\n\
Reads CSV with a header that has the columns schema, name1 and name2; prints the same rows with a\n\
column score, 0 to 1.";

/// Arguments of `match`: none.
#[derive(Debug, Args)]
pub(super) struct Match {}

impl Match {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).from_reader(std::io::stdin().lock());
        let mut header = reader.headers().map_err(|error| Usage(error.to_string()))?.clone();
        let place = |name: &str| {
            let found = header
                .iter()
                .position(|column| column.trim().trim_start_matches('\u{feff}') == name);
            found.ok_or_else(|| Usage(format!("the header has no column {name:?}")))
        };
        let places = [place("schema")?, place("name1")?, place("name2")?];
        let columns = header.len();
        let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
        header.push_field("score");
        writer.write_record(&header)?;
        for (row, number) in reader.records().zip(2..) {
            let mut row: StringRecord = row.with_context(|| format!("row {number}"))?;
            let [schema, name1, name2] = places.map(|place| row.get(place).unwrap_or_default());
            let score = Matcher::score(schema, name1, name2);
            // A short row would shift the score into another column.
            while row.len() < columns {
                row.push_field("");
            }
            row.push_field(&format!("{score:.4}"));
            writer.write_record(&row)?;
        }
        writer.flush()?;
        Ok(Verdict::Well)
    }
}
