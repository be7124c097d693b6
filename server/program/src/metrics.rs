//! What machines measure of the program, as Prometheus text.

use std::fmt::{Display, Write};

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Measures, written one after the other.
#[derive(Debug, Default)]
pub struct Metrics {
    text: String,
}

impl Metrics {
    /// No measures but the program's version.
    pub fn of(version: &str) -> Self {
        let mut metrics = Self::default();
        let labels = format!("{{version=\"{version}\"}}");
        metrics.write("tidewaiter_build", "The program.", "gauge", &[(labels, 1)]);
        metrics
    }

    /// What goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.write(name, help, "gauge", &[("", value)]);
    }

    /// What only goes up.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.write(name, help, "counter", &[("", value)]);
    }

    /// One gauge for each value of a label.
    pub fn gauges<T: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, T)],
    ) {
        let values: Vec<(String, &T)> = values
            .iter()
            .map(|(of, value)| (format!("{{{label}=\"{}\"}}", escaped(of)), value))
            .collect();
        self.write(name, help, "gauge", &values);
    }

    fn write<L: Display, T: Display>(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        values: &[(L, T)],
    ) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }
}

impl IntoResponse for Metrics {
    fn into_response(mut self) -> Response {
        if let Some(bytes) = resident_bytes() {
            self.gauge("process_resident_memory_bytes", "Resident memory.", bytes);
        }
        let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (kind, self.text).into_response()
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Resident memory as Linux says it; `None` elsewhere.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        let mut metrics = Metrics::default();
        metrics.gauges("x", "X.", "device", &[("a\"b", 1), ("c", 0)]);
        let wanted = "# HELP x X.\n# TYPE x gauge\nx{device=\"a\\\"b\"} 1\nx{device=\"c\"} 0\n";
        assert_eq!(metrics.text, wanted);
    }
}
