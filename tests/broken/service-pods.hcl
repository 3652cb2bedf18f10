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

service "chat" {
  image     = "chat:1"
  namespace = "kube-chat"
  replicas  = 2
  port      = 4000
  stateful  = true
  cpu       = "a lot"
  memory    = "256 MB"
  secrets   = { TOKEN = "hunter2" }

  nlb {
    port   = 80
    sticky = true
  }
}

service "store" {
  image = "store:1"
  min   = 1
  max   = 3

  volume "data" {
    path = "data"
    gib  = 10
  }

  volume "more" {
    path = "data"
    gib  = 10
  }
}

service "1st" {
  image    = "first:1"
  replicas = 2
  max      = 3
}
