//! Rules about the programs beside the one of a service: jobs and sidecars.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{JobFile, ServiceFile, SidecarFile};
use super::super::service::{Job, Process, Schedule, Service, Sidecar};
use super::environment::{self, ProgramFile};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned, nodes, pods, services};

pub(super) static RULES: [&Rule; 4] = [&SCHEDULE, &ZONE, &SAME_PROGRAM, &SIDECAR];

static SCHEDULE: Rule = Rule {
    code: "Q0546",
    severity: Error,
    title: "that is not a schedule",
    explanation: "A schedule is five fields, as cron writes them: minute (0 to 59), hour (0 to 23), day of the month (1 to 31), \
        month (1 to 12, or `JAN` to `DEC`), day of the week (0 to 6 from Sunday, or `SUN` to `SAT`). A field is `*`, a number, \
        a range (`1-5`), with a step (`*/15`), or several of these with commas. `@hourly`, `@daily`, `@weekly`, `@monthly` and \
        `@yearly` are accepted, too.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"clean\" {\n    command  = [\"/bin/clean\"]\n    schedule = \"every day at 3\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"clean\" {\n    command  = [\"/bin/clean\"]\n    schedule = \"0 3 * * *\"\n  }\n}",
};

static ZONE: Rule = Rule {
    code: "Q0547",
    severity: Error,
    title: "a time zone that cannot be used",
    explanation: "`time_zone` is the name of a time zone in the database of IANA, for example `Europe/Warsaw` or `Etc/UTC`, and \
        goes with a `schedule`. An abbreviation as `CET` is not one, because it does not say which country's rules apply.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"clean\" {\n    command   = [\"/bin/clean\"]\n    schedule  = \"0 3 * * *\"\n    time_zone = \"Warsaw\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"clean\" {\n    command   = [\"/bin/clean\"]\n    schedule  = \"0 3 * * *\"\n    time_zone = \"Europe/Warsaw\"\n  }\n}",
};

static SAME_PROGRAM: Rule = Rule {
    code: "Q0548",
    severity: Error,
    title: "a job that runs the program of its service",
    explanation: "Without an `image`, a `command` or `args` of its own, a job starts the same program as the service, which \
        does not end.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"migrate\" {\n    env = { MIGRATE = \"1\" }\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  job \"migrate\" {\n    command = [\"/bin/migrate\"]\n  }\n}",
};

static SIDECAR: Rule = Rule {
    code: "Q0549",
    severity: Error,
    title: "a sidecar that is called like its service",
    explanation: "The containers of a pod have different names, and the one of the service is called like the service.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  sidecar \"web\" {\n    image = \"exporter:1\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  sidecar \"exporter\" {\n    image = \"exporter:1\"\n  }\n}",
};

/// Maximum length of the name of a job.
const LONGEST_JOB: usize = 32;
/// Maximum length of the name of a container.
const LONGEST_CONTAINER: usize = 63;
/// Number of further attempts of a job by default.
const RETRIES: u32 = 3;
/// Maximum time in seconds of a job without a schedule, by default.
const TIMEOUT: u32 = 600;
/// The time zone of schedules by default.
const UTC: &str = "Etc/UTC";
/// Names for schedules.
const MACROS: [&str; 7] = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A job as the file has it: what it lacks, it takes from its service.
pub(super) struct JobDraft {
    /// Its own image.
    image: Option<String>,
    /// The job, without what it takes from its service.
    job: Job,
}

impl JobDraft {
    /// Returns the job with the image, the variables and the requests of its service where it has none.
    pub(super) fn completed(self, service: &Service) -> Job {
        let own = self.job.process;
        let mut env = service.env.clone();
        env.retain(|name, _| !own.secrets.contains_key(name));
        let mut secrets = service.secrets.clone();
        secrets.retain(|name, _| !own.env.contains_key(name));
        env.extend(own.env);
        secrets.extend(own.secrets);
        let process = Process {
            image: self.image.unwrap_or_else(|| service.image.clone()),
            env,
            secrets,
            cpu: own.cpu.or_else(|| service.cpu.clone()),
            memory: own.memory.or_else(|| service.memory.clone()),
            command: own.command,
            args: own.args,
        };
        Job { process, ..self.job }
    }
}

pub(super) fn jobs(
    context: &mut LoweringContext,
    service: &str,
    file: &ServiceFile,
) -> Result<BTreeMap<String, JobDraft>, ErrorReported> {
    context.map(&file.job, |context, name, written| {
        let named = nodes::check_name(context, name, &written.key, LONGEST_JOB, "a job");
        let job =
            written.value().and_then(|file| job(context, &format!("service.{service}.job.{name}"), written, file));
        named?;
        job
    })
}

fn job(
    context: &mut LoweringContext,
    path: &str,
    written: &Spanned<JobFile>,
    file: &JobFile,
) -> Result<JobDraft, ErrorReported> {
    let image = file.image.as_ref().map(|_| services::image(context, file.image.as_ref())).transpose();
    let program = ProgramFile {
        path: path.to_owned(),
        command: &file.command,
        args: &file.args,
        env: &file.env,
        secrets: &file.secrets,
    };
    let environment = environment::read(context, &program);
    let (cpu, memory) = (pods::cpu(context, file.cpu.as_ref()), pods::memory(context, file.memory.as_ref()));
    let schedule = schedule(context, path, file);
    // An empty list is as if it were not there.
    let is_same = match &environment {
        Ok(program) => program.command.is_empty() && program.args.is_empty(),
        Err(_) => file.command.is_none() && file.args.is_none(),
    };
    let differs = if file.image.is_none() && is_same {
        let message = format!("`{path}` would run the program of its service");
        let problem = Diagnostic::new(&SAME_PROGRAM, written.key.clone(), message);
        Err(context.error(problem.help("add what it runs, for example: command = [\"/app/bin/migrate\"]")))
    } else {
        Ok(())
    };
    let (environment, schedule) = (environment?, schedule?);
    differs?;
    let process = Process {
        image: String::new(),
        command: environment.command,
        args: environment.args,
        env: environment.env,
        secrets: environment.secrets,
        cpu: cpu?,
        memory: memory?,
    };
    let timeout = file.timeout_seconds.optional()?.copied();
    Ok(JobDraft {
        image: image?,
        job: Job {
            process,
            retries: file.retries.optional()?.copied().unwrap_or(RETRIES),
            timeout_seconds: timeout.or_else(|| schedule.is_none().then_some(TIMEOUT)),
            schedule,
        },
    })
}

fn schedule(context: &mut LoweringContext, path: &str, file: &JobFile) -> Result<Option<Schedule>, ErrorReported> {
    let cron = match file.schedule.optional()? {
        Some(text) if !is_schedule(text) => {
            let message = format!("{text:?} is not a schedule");
            let problem = Diagnostic::new(&SCHEDULE, file.schedule.place(), message);
            Err(context.error(problem.expected(["five fields, for example \"0 3 * * *\" for each day at 3:00"])))
        }
        text => Ok(text.cloned()),
    };
    let zone = match file.time_zone.optional()? {
        Some(zone) if !is_time_zone(zone) => {
            let problem = Diagnostic::new(&ZONE, file.time_zone.place(), format!("{zone:?} is not a time zone"));
            Err(context.error(problem.expected(["a name of IANA, for example \"Europe/Warsaw\" or \"Etc/UTC\""])))
        }
        Some(_) if file.schedule.is_none() => {
            let message = format!("`{path}` has a `time_zone` and no `schedule`");
            let problem = Diagnostic::new(&ZONE, file.time_zone.key(), message);
            Err(context.error(problem.help("remove it, or add a `schedule`")))
        }
        zone => Ok(zone.cloned()),
    };
    let (cron, zone) = (cron?, zone?);
    Ok(cron.map(|cron| Schedule { cron, time_zone: zone.unwrap_or_else(|| UTC.to_owned()) }))
}

/// Returns `true` for a schedule that Kubernetes accepts.
fn is_schedule(text: &str) -> bool {
    if MACROS.contains(&text) {
        return true;
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let ranges: [(u32, u32, &[&str]); 5] = [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, &MONTHS), (0, 6, &DAYS)];
    fields.len() == ranges.len() && fields.iter().zip(ranges).all(|(field, range)| is_field(field, range))
}

/// Returns `true` for a field of a schedule: parts with commas between them.
fn is_field(field: &str, (lowest, highest, words): (u32, u32, &[&str])) -> bool {
    let number = |text: &str| {
        let word = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let by_word = word.and_then(|at| u32::try_from(at).ok()).map(|at| at + lowest);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = by_word.or_else(|| text.parse().ok().filter(|_| digits));
        number.filter(|number| (lowest..=highest).contains(number))
    };
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let has_step = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0) && !step.starts_with('+'));
        let is_range = match range.split_once('-') {
            _ if range == "*" || range == "?" => true,
            Some((from, to)) => matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to),
            None => number(range).is_some(),
        };
        has_step && is_range
    })
}

/// Returns `true` for a text that has the form of a time zone's name.
fn is_time_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    };
    text == "UTC" || (text.len() <= 64 && text.contains('/') && text.split('/').all(is_part))
}

pub(super) fn sidecars(
    context: &mut LoweringContext,
    service: &str,
    file: &ServiceFile,
) -> Result<BTreeMap<String, Sidecar>, ErrorReported> {
    context.map(&file.sidecar, |context, name, written| {
        let named = nodes::check_name(context, name, &written.key, LONGEST_CONTAINER, "a sidecar");
        let differs = if name == service {
            let message = format!("the sidecar {name} is called like its service");
            Err(context.error(Diagnostic::new(&SIDECAR, written.key.clone(), message).help("give it another name")))
        } else {
            Ok(())
        };
        let path = format!("service.{service}.sidecar.{name}");
        let sidecar = written.value().and_then(|file| sidecar(context, path, file));
        named?;
        differs?;
        sidecar
    })
}

fn sidecar(context: &mut LoweringContext, path: String, file: &SidecarFile) -> Result<Sidecar, ErrorReported> {
    let image = services::image(context, file.image.as_ref());
    let program =
        ProgramFile { path, command: &file.command, args: &file.args, env: &file.env, secrets: &file.secrets };
    let environment = environment::read(context, &program);
    let (cpu, memory) = (pods::cpu(context, file.cpu.as_ref()), pods::memory(context, file.memory.as_ref()));
    let environment = environment?;
    let process = Process {
        image: image?,
        command: environment.command,
        args: environment.args,
        env: environment.env,
        secrets: environment.secrets,
        cpu: cpu?,
        memory: memory?,
    };
    let ports = file.ports.optional()?.into_iter().flatten().map(|(name, _)| name.clone());
    Ok(Sidecar { process, ports: ports.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_what_kubernetes_accepts() {
        for good in ["0 3 * * *", "*/15 8-18 * * MON-FRI", "5,35 0 1,15 jan,JUL ?", "@daily", "0-30/10 * * * 0"] {
            assert!(is_schedule(good), "{good}");
        }
        for bad in ["", "0 3 * *", "0 3 * * * *", "60 0 * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *", "0 0 * * 7"] {
            assert!(!is_schedule(bad), "{bad}");
        }
        for bad in
            ["*/0 * * * *", "5-1 * * * *", ", * * * *", "+1 * * * *", "TZ=UTC 0 3 * * *", "@every 1h", "* * * * MO"]
        {
            assert!(!is_schedule(bad), "{bad}");
        }
    }

    #[test]
    fn a_time_zone_has_the_form_of_a_name() {
        assert!(is_time_zone("America/Argentina/Buenos_Aires") && is_time_zone("Etc/GMT+3") && is_time_zone("UTC"));
        for bad in ["", "CET", "Local", "Europe/", "/Warsaw", "Europe/War saw", "+03:00"] {
            assert!(!is_time_zone(bad), "{bad}");
        }
    }
}
