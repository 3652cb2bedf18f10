name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a"]

masters {
  count = 1
  size  = "t3.medium"
}

nodes "ml" {
  count  = 2
  sizes  = ["m5.large", "m6g.large", "m5.large"]
  labels = { "topology.kubernetes.io/zone" = "x", team = "a b" }
  taints = ["dedicated=ml", "node.kubernetes.io/gpu:NoSchedule"]
  spot   = "yes"
  kubelet {
    max_pods = 400
    eviction {
      memory = "5 percent"
    }
  }
}

nodes "games" {
  count  = 2
  size   = "t3.large"
  sizes  = ["t3.large"]
  taints = ["dedicated=games:NoSchedule"]
}

service "web" {
  image        = "nginx:1.27"
  port         = 80
  files        = { "default.conf" = "x", "/data/x" = "y" }
  pull_secrets = ["My_Registry"]
  placement {
    nodes = ["games"]
  }
  volume "data" {
    path = "/data"
    gib  = 5
  }
}
