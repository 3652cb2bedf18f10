name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "m7g.large"
}

nodes "workers" {
  min  = 10
  max  = 500
  size = "m7g.large"
}
