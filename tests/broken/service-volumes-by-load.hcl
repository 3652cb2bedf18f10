name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

service "queue" {
  image = "queue:1"
  min   = 3
  max   = 5
  cpu   = "250m"
  volume "data" {
    path = "/data"
    gib  = 10
  }
}
