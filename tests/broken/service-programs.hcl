name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a"]

masters {
  count = 1
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
}

service "web" {
  image = "nginx:1.27"
  port  = 80
  ports = { metrics = "9113" }
  job "same" {
    command = []
  }
  job "migrate" {
    env       = { A = "1" }
    secrets   = { A = "web/a" }
    time_zone = "Europe/Warsaw"
  }
  job "clean" {
    command   = ["/bin/clean"]
    schedule  = "0 3 * * 7"
    time_zone = "CET"
    cpu       = "much"
  }
  sidecar "web" {
    ports = { metrics = "9114", other = "80" }
  }
  sidecar "exporter" {
    image = "exporter:1"
    ports = { other = "9115" }
  }
}
