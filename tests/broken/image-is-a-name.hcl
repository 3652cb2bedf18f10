name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "m7g.large"
  image = "kubernetes-1.36"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
  image = "ami-0123"
}
