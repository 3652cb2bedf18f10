name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
}

network {
  topology        = "private"
  subnets         = { "us-east-1a" = "172.20.32.0/22" }
  private_subnets = { "us-east-1b" = "172.20.32.0/19", "us-east-1a" = "172.20.64.0/19", "us-east-1c" = "172.20.96.0/19" }
}
