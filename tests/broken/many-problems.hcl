name  = "Chat"
state = "bucket"
zones = ["us-east-1a", "us-west-1b"]

mastres {
  count = 2
}

masters {
  count = 2
  size  = "t3.meduim"
}

nodes "workers" {
  count = 2
  max   = 1
  sise  = "t3.large"
}
