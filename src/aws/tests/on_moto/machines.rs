//! Commands and console output of machines.

use super::*;
use crate::cloud::MachineAccess;

#[tokio::test]
async fn a_machine_has_console_output_and_takes_commands() {
    let Some(site) = site("us-east-1").await else { return };
    let images = site.aws.ec2.describe_images().send().await.unwrap().images.unwrap();
    let image = images[0].image_id.clone().unwrap();
    let run = site.aws.ec2.run_instances().image_id(image).min_count(1).max_count(1).send().await.unwrap();
    let instance = run.instances.unwrap()[0].instance_id.clone().unwrap();

    let console = site.aws.console_output(&instance).await.unwrap();
    assert!(console.contains("Linux version"), "{console}");
    let output = site.aws.run_script(&instance, "journalctl --unit='kubelet'").await.unwrap().unwrap();
    assert_eq!(output.out, "", "moto runs nothing");
    let calls = site.calls.take();
    assert!(calls.contains(&"SendCommand".to_owned()) && calls.contains(&"GetCommandInvocation".to_owned()));

    let missing = site.aws.console_output("i-0123456789abcdef0").await.unwrap_err();
    assert_eq!(missing.code.as_deref(), Some("InvalidInstanceID.NotFound"));
}
