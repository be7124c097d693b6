//! The machine that a figure was taken on, as Linux tells of it.

use std::fs::read_to_string;

/// Processor and number of its cores.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores", processor())
}

/// The processor's name.
pub fn processor() -> String {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    name.map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':'])).to_owned()
}

/// How busy it is: the mean over 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Kilobytes of a process: `VmRSS`, resident now, or `VmHWM`, at most.
pub fn kilobytes(process: u32, field: &str) -> Option<f64> {
    let status = read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
