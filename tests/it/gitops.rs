//! The action for GitHub, and the workflows of the example: their steps run here as a runner would run them, in the sandbox,
//! with a stand-in for `gh`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate::testkit::skip_without_setup;
use serde_json::{Value, json};

use crate::program::{desk, err, exits, out, quorate};

const BOT: &str = "github-actions[bot]";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn workflows() -> Vec<(String, Value)> {
    let folder = "examples/github-actions/.github/workflows";
    ["apply", "drift", "plan"].map(|name| (name.to_owned(), yaml(&format!("{folder}/{name}.yml")))).into()
}

fn steps(workflow: &Value) -> impl Iterator<Item = &Value> {
    let jobs = workflow["jobs"].as_object().expect("there are jobs");
    jobs.values().flat_map(|job| job["steps"].as_array().expect("there are steps"))
}

/// A runner: a checkout in the sandbox, and a repository on GitHub.
struct Runner {
    desk: tempfile::TempDir,
    python: std::ffi::OsString,
}

/// The end of an action.
struct ActionRun {
    output: Output,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Runner {
    /// Returns a runner with the tutorial's file; `None`, with a message, without the packages of `tests/run`.
    fn new() -> Option<Self> {
        let Some(python) = std::env::var_os("QUORATE_TEST_PYTHON") else {
            skip_without_setup("no stand-in for gh is installed; `tests/run` installs it");
            return None;
        };
        let runner = Self { desk: desk(), python };
        for folder in ["bin", "temp", "github"] {
            fs::create_dir(runner.path(folder)).expect("a directory can be made");
        }
        let gh = root().join("tests/gitops/gh");
        runner.executable("gh", &format!("exec '{}' '{}' \"$@\"", runner.python.display(), gh.display()));
        runner.executable("quorate", concat!("exec '", env!("CARGO_BIN_EXE_quorate"), "' \"$@\""));
        let state = json!({
            "last": 0, "comments": {}, "issues": [],
            "pulls": [{"head": {"sha": "abc"}}], "runs": [{"id": 5, "head_sha": "abc"}],
        });
        runner.set_state(&state);
        Some(runner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    fn executable(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).expect("the file can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode).expect("it is ours");
    }

    fn state(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("github/state.json")).expect("it is there")).expect("JSON")
    }

    fn set_state(&self, state: &Value) {
        fs::write(self.path("github/state.json"), state.to_string()).expect("the file can be written");
    }

    /// Runs a script as a step does.
    fn script(&self, script: &str, variables: &BTreeMap<String, String>) -> ActionRun {
        let file = |name: &str| {
            let path = self.path("temp").join(name);
            fs::write(&path, "").expect("the file can be written");
            path
        };
        let (outputs, summary, paths) = (file("output"), file("summary"), file("path"));
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.desk.path())
            .env("PATH", format!("{}:{}", self.path("bin").display(), std::env::var("PATH").expect("there is one")))
            .env("QUORATE_SANDBOX", "1")
            .env("GH_STUB", self.path("github"))
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_OUTPUT", &outputs)
            .env("GITHUB_PATH", &paths)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_RUN_ID", "42")
            .env("GITHUB_SHA", "fedc")
            .env("RUNNER_TEMP", self.path("temp"))
            .envs(variables)
            .output()
            .expect("bash starts");
        let read = |path: &Path| fs::read_to_string(path).expect("it is there");
        let outputs = read(&outputs).lines().filter_map(|line| line.split_once('=')).map(owned).collect();
        ActionRun { output, outputs, summary: read(&summary) }
    }

    /// Runs the steps of the action with these inputs. A step of another action is passed over.
    fn action(&self, inputs: &[(&str, &str)]) -> ActionRun {
        let action = yaml("action.yml");
        let defaults = action["inputs"].as_object().expect("there are inputs").iter();
        let mut known: BTreeMap<String, String> = defaults
            .map(|(name, own)| (format!("inputs.{name}"), own["default"].as_str().unwrap_or_default().to_owned()))
            .collect();
        known.extend(inputs.iter().map(|(name, value)| (format!("inputs.{name}"), (*value).to_owned())));
        let mut last = None;
        for step in action["runs"]["steps"].as_array().expect("there are steps") {
            if !step["if"].as_str().is_none_or(|condition| holds(condition, &known)) || step.get("run").is_none() {
                continue;
            }
            let variables = step["env"].as_object().into_iter().flatten();
            let variables = variables.map(|(name, own)| (name.clone(), filled(own.as_str().expect("text"), &known)));
            let run = self.script(step["run"].as_str().expect("it is a script"), &variables.collect());
            let id = step["id"].as_str().unwrap_or_default();
            known.extend(run.outputs.iter().map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value.clone())));
            last = Some(run);
        }
        last.expect("there is a step with a script")
    }

    fn plan(&self) -> ActionRun {
        self.action(&[("command", "plan"), ("pull-request", "7")])
    }

    /// Hands the saved plan over, as the artifacts of the workflows do.
    fn upload(&self) {
        fs::rename(self.path("quorate-plan.json"), self.path("github/quorate-plan")).expect("there is a saved plan");
    }

    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("cluster.hcl")).expect("the file is there");
        assert!(text.contains(from), "{from}");
        fs::write(self.path("cluster.hcl"), text.replacen(from, to, 1)).expect("the file can be written");
    }

    /// Returns `true` if the cluster is as its file describes it.
    fn is_applied(&self) -> bool {
        quorate(self.desk.path(), &["plan", "--detailed-exitcode"]).status.code() == Some(0)
    }
}

impl ActionRun {
    #[track_caller]
    fn must(self, code: i32) -> Self {
        exits(&self.output, code);
        self
    }

    #[track_caller]
    fn has(&self, outputs: &[(&str, &str)]) {
        for (name, value) in outputs {
            assert_eq!(self.outputs.get(*name).map(String::as_str), Some(*value), "{name} of {:?}", self.outputs);
        }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Fills in the expressions of a value.
fn filled(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").expect("an expression ends");
        out.push_str(known.get(expression.trim()).map_or("", String::as_str));
        out.push_str(rest);
    }
    out
}

/// Evaluates a condition: only comparisons of one value with a text occur.
fn holds(condition: &str, known: &BTreeMap<String, String>) -> bool {
    let (value, text) = condition.split_once(" != ").expect("a comparison");
    known.get(value).map_or("", String::as_str) != text.trim_matches('\'')
}

#[test]
fn a_pull_request_has_one_comment_that_is_updated() {
    let Some(runner) = Runner::new() else { return };
    let mut state = runner.state();
    let stranger = "<!-- quorate-plan chat.poeticoding.com us-east-1 -->\nmine";
    state["comments"]["7"] = json!([{"id": 1000, "user": {"login": "mallory"}, "body": stranger}]);
    runner.set_state(&state);

    let first = runner.plan().must(0);
    first.has(&[("changes", "true")]);
    assert!(first.summary.contains("### Plan: 62 to create"), "{}", first.summary);
    assert!(runner.path("quorate-plan.json").exists());
    runner.edit("count = 2", "count = 4");
    runner.plan().must(0);

    let state = runner.state();
    let comments = state["comments"]["7"].as_array().expect("there are comments");
    assert_eq!(comments.len(), 2, "{comments:#?}");
    assert_eq!(comments[0]["body"], stranger, "the comment of another user stays");
    assert_eq!(comments[1]["user"]["login"], BOT);
    let body = comments[1]["body"].as_str().expect("it has a body");
    assert!(body.starts_with("<!-- quorate-plan chat.poeticoding.com us-east-1 -->\n### Plan: "), "{body}");
    assert!(body.contains("https://github.com/o/r/actions/runs/42"), "{body}");
    assert!(body.contains("autoscaling-group/nodes-workers") && body.contains("4 machines"), "{body}");
    assert!(body.contains("| Cost per month | "), "{body}");
}

#[test]
fn a_plan_above_a_limit_fails_and_says_why_in_the_comment() {
    let Some(runner) = Runner::new() else { return };
    let inputs = [("command", "plan"), ("pull-request", "7"), ("arguments", "--max-monthly-cost=1\n\n--quiet")];
    runner.action(&inputs).must(4);
    let state = runner.state();
    let body = state["comments"]["7"][0]["body"].as_str().expect("there is a comment").to_owned();
    assert!(body.contains("Refused: the cluster would cost"), "{body}");
    assert!(!runner.path("quorate-plan.json").exists(), "a refused plan is not handed over");
}

#[test]
fn a_file_with_an_error_fails_without_a_comment() {
    let Some(runner) = Runner::new() else { return };
    runner.edit("masters {", "mastres {");
    runner.plan().must(64);
    assert_eq!(runner.state()["comments"], json!({}));
}

#[test]
fn the_plan_of_a_merged_pull_request_is_applied() {
    let Some(runner) = Runner::new() else { return };
    runner.plan().must(0);
    runner.upload();
    let merged = [("command", "apply"), ("plan-workflow", "plan.yml"), ("if-refused", "plan")];
    runner.action(&merged).must(0).has(&[("refused", "false")]);
    assert!(runner.is_applied());
}

#[test]
fn a_plan_that_is_refused_is_made_again_and_changes_nothing_until_it_is_applied() {
    let Some(runner) = Runner::new() else { return };
    exits(&quorate(runner.desk.path(), &["apply", "--yes"]), 0);
    runner.edit("count = 2", "count = 4");
    runner.plan().must(0);
    runner.upload();
    // Another run applies something else: the record moves on.
    exits(&quorate(runner.desk.path(), &["sandbox", "set", "target-group/api", "health_check.interval=30"]), 0);
    runner.edit("count = 4", "count = 2");
    exits(&quorate(runner.desk.path(), &["apply", "--yes"]), 0);
    runner.edit("count = 2", "count = 4");

    let merged = [("command", "apply"), ("plan-workflow", "plan.yml")];
    runner.action(&merged).must(4).has(&[("refused", "false")]);
    let again = [&merged[..], &[("if-refused", "plan")]].concat();
    let refused = runner.action(&again).must(0);
    refused.has(&[("refused", "true"), ("changes", "true")]);
    assert!(out(&refused.output).contains("::warning title=Quorate::the saved plan was refused"));
    assert!(refused.summary.contains("### Plan: "), "{}", refused.summary);
    assert!(!runner.is_applied(), "nothing was changed");

    runner.action(&[("command", "apply")]).must(0).has(&[("refused", "false")]);
    assert!(runner.is_applied());
}

#[test]
fn without_a_saved_plan_a_new_one_is_made() {
    let Some(runner) = Runner::new() else { return };
    let merged = [("command", "apply"), ("plan-workflow", "plan.yml"), ("if-refused", "plan")];
    runner.action(&merged).must(0).has(&[("refused", "true"), ("changes", "true")]);
    let mut state = runner.state();
    state["pulls"] = json!([]);
    runner.set_state(&state);
    let pushed = runner.action(&[("command", "apply"), ("plan-workflow", "plan.yml")]).must(4);
    pushed.has(&[("refused", "false")]);
}

#[test]
fn drift_is_one_issue_that_is_closed_when_it_is_gone() {
    let Some(runner) = Runner::new() else { return };
    exits(&quorate(runner.desk.path(), &["apply", "--yes"]), 0);
    let check = |changes| runner.action(&[("command", "drift")]).must(0).has(&[("changes", changes)]);
    check("false");
    assert_eq!(runner.state()["issues"], json!([]));
    let set = |value: &str| exits(&quorate(runner.desk.path(), &["sandbox", "set", "target-group/api", value]), 0);
    set("health_check.interval=30");
    check("true");
    set("health_check.interval=20");
    check("true");
    let state = runner.state();
    let issues = state["issues"].as_array().expect("there are issues");
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert_eq!(issues[0]["title"], "chat.poeticoding.com differs from its file");
    assert!(issues[0]["body"].as_str().expect("it has a body").contains("20 -> 10"), "{issues:#?}");
    exits(&quorate(runner.desk.path(), &["apply", "--yes"]), 0);
    check("false");
    let state = runner.state();
    assert_eq!(state["issues"][0]["state"], "closed");
    let number = state["issues"][0]["number"].to_string();
    assert!(state["comments"][number][0]["body"].as_str().expect("a comment").contains("as its file describes it"));
}

#[test]
fn the_program_is_built_once_for_each_source() {
    let Some(runner) = Runner::new() else { return };
    fs::remove_file(runner.path("bin/quorate")).expect("it was there");
    let hash = |runner: &Runner| {
        let found = runner.script("bash \"$GITHUB_ACTION_PATH/action/find.sh\"", &BTreeMap::new()).must(0);
        found.has(&[("found", "false")]);
        (found.outputs["hash"].clone(), found.outputs["root"].clone())
    };
    let (one, root) = hash(&runner);
    assert_eq!((one.len(), &one), (16, &hash(&runner).0));
    // In place of a build of ten minutes.
    runner.executable(
        "cargo",
        "echo \"$*\" >> \"$RUNNER_TEMP/cargo\"\nmkdir -p \"$ROOT/bin\"\ninstall -m 755 /dev/null \"$ROOT/bin/quorate\"",
    );
    let variables = BTreeMap::from([("ROOT".to_owned(), root.clone())]);
    for _ in 0..2 {
        runner.script("bash \"$GITHUB_ACTION_PATH/action/install.sh\"", &variables).must(0);
        let path = fs::read_to_string(runner.path("temp/path")).expect("it is there");
        assert_eq!(path, format!("{root}/bin\n"));
    }
    let built = fs::read_to_string(runner.path("temp/cargo")).expect("cargo was called");
    assert_eq!(built.lines().count(), 1, "{built}");
    assert!(built.starts_with("install --locked --path "), "{built}");
}

#[test]
fn the_action_and_the_workflows_fit_together() {
    let action = yaml("action.yml");
    let inputs = action["inputs"].as_object().expect("there are inputs");
    let text = fs::read_to_string(root().join("action.yml")).expect("it is there");
    let used: Vec<&str> =
        text.split("inputs.").skip(1).map(|rest| rest.split([' ', '}']).next().unwrap_or("")).collect();
    for name in inputs.keys() {
        assert!(used.contains(&name.as_str()), "{name} is not used");
    }
    for name in &used {
        assert!(inputs.contains_key(*name), "{name} is not declared");
    }
    for step in action["runs"]["steps"].as_array().expect("there are steps") {
        let Some(run) = step["run"].as_str() else { continue };
        let script = run.split('"').nth(1).and_then(|path| path.strip_prefix("$GITHUB_ACTION_PATH/"));
        assert!(root().join(script.expect("a script of the action")).exists(), "{run}");
        assert!(!run.contains("${{"), "{run}: an input in a script could be code");
    }
    let page = fs::read_to_string(root().join("docs/gitops.md")).expect("it is there");
    for name in inputs.keys().chain(action["outputs"].as_object().expect("there are outputs").keys()) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/gitops.md lacks `{name}`");
    }
}

#[test]
fn the_workflows_of_the_example_have_few_rights_and_no_keys() {
    let action = yaml("action.yml");
    for (name, workflow) in workflows() {
        assert!(workflow["concurrency"]["group"].as_str().is_some_and(|group| group.starts_with("quorate-")), "{name}");
        let may_stop = workflow["concurrency"]["cancel-in-progress"] == json!(true);
        assert_eq!(may_stop, name == "plan", "{name}: only a plan may be stopped");
        for job in workflow["jobs"].as_object().expect("there are jobs").values() {
            assert!(job["timeout-minutes"].is_number(), "{name}");
            let permissions = job.get("permissions").unwrap_or(&workflow["permissions"]);
            let permissions = permissions.as_object().expect("permissions are listed");
            assert_eq!(
                (&permissions["contents"], &permissions["id-token"]),
                (&json!("read"), &json!("write")),
                "{name}"
            );
        }
        let uses = |wanted: &'static str| {
            steps(&workflow).filter(move |step| step["uses"].as_str().is_some_and(|own| own.starts_with(wanted)))
        };
        assert!(uses("aws-actions/configure-aws-credentials@").all(|step| step["with"]["role-to-assume"].is_string()));
        for step in uses("OWNER/quorate@") {
            for input in step["with"].as_object().expect("there are inputs").keys() {
                assert!(action["inputs"].get(input).is_some(), "{name}: {input}");
            }
        }
        assert!(uses("OWNER/quorate@").count() >= 1, "{name}");
        let text = workflow.to_string();
        assert!(!text.contains("secrets.") && !text.to_lowercase().contains("access-key"), "{name}: no keys");
    }
}

#[test]
fn the_environment_of_an_action_is_not_read_as_code() {
    let Some(runner) = Runner::new() else { return };
    let hostile = "$(touch hacked)`touch hacked`; touch hacked";
    let run = runner.action(&[("command", "plan"), ("arguments", hostile), ("file", "cluster.hcl")]);
    assert_ne!(run.output.status.code(), Some(0), "{}", err(&run.output));
    runner.action(&[("command", hostile)]).must(64);
    assert!(!runner.path("hacked").exists());
}
