//! `tidewaiter-server lists`: publishers' files in, dated bundles out.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;
use tidewaiter_risk::lists::canonical::{file_name, write_bundle};
use tidewaiter_risk::lists::{
    ListBundle, ListDifference, SourceFile, check_not_shrunken, eu, ofac, plain, uk, un,
};
use tidewaiter_risk::policy::day_of;

use super::{Usage, Verdict};
use crate::clock::Clock;
use crate::{disk, law};

const EXAMPLE: &str = "Examples:\n  \
tidewaiter-server lists import --format ofac-csv sdn.csv add.csv alt.csv --into lists\n  \
tidewaiter-server lists import --format un-xml consolidated.xml --into lists\n  \
tidewaiter-server lists import --format eu-xml xmlFullSanctionsList.xml --into lists\n  \
tidewaiter-server lists import --format uk-csv ConList.csv --into lists\n  \
tidewaiter-server lists import --format csv --name own watched.csv --into lists\n\n\
Prints one JSON line: what the bundle is, and how it differs from the one it replaces.\n\
Exit status: 0; 1 for a broken file, which leaves the bundle in force as it is.";

/// What can be done with lists.
#[derive(Debug, Subcommand)]
pub(super) enum Lists {
    /// Adds or replaces one dated bundle in a directory.
    #[command(after_help = EXAMPLE)]
    Import(Import),
}

/// Arguments of `lists import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// What the files are.
    #[arg(long, value_enum)]
    format: Format,
    /// The bundle's name; by default `ofac`, `un`, `eu`, `uk` or `own`, after the format.
    #[arg(long)]
    name: Option<String>,
    /// The day the content is of, YYYY-MM-DD; by default the file's own, else today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// The publisher's files. OFAC's sdn, add and alt are told apart by their columns.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The directory of bundles.
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
}

/// A publisher's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// OFAC's sdn.csv, add.csv and alt.csv.
    OfacCsv,
    /// OFAC's advanced XML (`SDN_ADVANCED.XML`).
    OfacXml,
    /// The consolidated list of the UN Security Council.
    UnXml,
    /// The European Union's consolidated list, CSV 1.1.
    EuCsv,
    /// The European Union's consolidated list, XML 1.1.
    EuXml,
    /// OFSI's consolidated list, or the UK sanctions list.
    UkCsv,
    /// The plain list format of this program.
    Csv,
}

impl Lists {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let Self::Import(import) = self;
        import.run()
    }
}

impl Import {
    fn run(self) -> anyhow::Result<Verdict> {
        let name = self.name.clone().unwrap_or_else(|| self.format.usual_name().to_owned());
        check_name(&name)?;
        let mut contents = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            let bytes =
                std::fs::read(file).with_context(|| Usage(format!("{name}: cannot be read")))?;
            contents.push((name, bytes));
        }
        let sources: Vec<SourceFile<'_>> =
            contents.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
        let bundle = self.read(&sources, &name)?;
        disk::make_directory(&self.into)?;
        let place = self.into.join(file_name(&name));
        // A bundle in force that cannot be read any more is no reason to keep a good one out.
        let old = if place.exists() { law::bundle(&place).ok() } else { None };
        check_not_shrunken(old.as_ref(), &bundle)?;
        disk::write(&place, &write_bundle(&bundle))?;
        let difference = old.map(|old| ListDifference::between(&old, &bundle));
        let line = json!({
            "name": bundle.name, "as_of": bundle.as_of, "version": bundle.version,
            "entries": bundle.entries.len(), "difference": &difference,
        });
        writeln!(std::io::stdout(), "{line}")?;
        let count = bundle.entries.len();
        let told = difference.map(|difference| format!("; {difference}")).unwrap_or_default();
        let day = bundle.as_of;
        super::say_on_stderr(&format!("{name} of {day}: {count} entries in force{told}"));
        Ok(Verdict::Well)
    }

    fn read(&self, files: &[SourceFile<'_>], name: &str) -> anyhow::Result<ListBundle> {
        let day = self.as_of.unwrap_or_else(|| day_of(Clock::system().now()));
        Ok(match (self.format, files) {
            (Format::OfacCsv, files) => ofac::import(files, name, day)?,
            (Format::OfacXml, [file]) => ofac::advanced::import(*file, name, self.as_of)?,
            (Format::UnXml, [file]) => un::import(*file, name, self.as_of)?,
            (Format::EuCsv, [file]) => eu::import_csv(*file, name, self.as_of)?,
            (Format::EuXml, [file]) => eu::import_xml(*file, name, self.as_of)?,
            (Format::UkCsv, [file]) => uk::import(*file, name, self.as_of)?,
            (
                Format::OfacXml | Format::UnXml | Format::EuCsv | Format::EuXml | Format::UkCsv,
                _,
            ) => {
                bail!(Usage("this publisher's list is one file".to_owned()))
            }
            (Format::Csv, files) => plain::import(files, name, day, "an authority's own list")?,
        })
    }
}

impl Format {
    fn usual_name(self) -> &'static str {
        match self {
            Self::OfacCsv | Self::OfacXml => "ofac",
            Self::UnXml => "un",
            Self::EuCsv | Self::EuXml => "eu",
            Self::UkCsv => "uk",
            Self::Csv => "own",
        }
    }
}

/// The name becomes part of a file's name.
fn check_name(name: &str) -> Result<(), Usage> {
    let fits = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        return Ok(());
    }
    Err(Usage(format!("{name:?} is not a name of a-z, 0-9 and '-', 32 at most")))
}
