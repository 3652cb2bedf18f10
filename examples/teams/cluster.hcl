# Three node groups for three kinds of work: web services, machine learning on Spot Instances, and a small one that grows.

name  = "teams.example.com"
state = "s3://state.teams.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "m7i.large"
}

# What has to be there stays on On-Demand Instances.
nodes "workers" {
  count = 3
  size  = "m7i.large"
}

# Only pods that tolerate the taint run here. AWS takes whichever size it has capacity for; one node is never taken back.
nodes "ml" {
  count  = 4
  sizes  = ["m7i.2xlarge", "m6i.2xlarge", "m5.2xlarge"]
  labels = { team = "ml" }
  taints = ["dedicated=ml:NoSchedule"]
  spot {
    on_demand_base = 1
  }
}

# Small nodes with few pods keep more of their memory for them.
nodes "tools" {
  count  = 2
  size   = "t3.medium"
  labels = { team = "tools", "node-role.kubernetes.io/tools" = "" }
  kubelet {
    max_pods = 40
    reserved {
      memory = "600Mi"
    }
  }
}

service "web" {
  image    = "nginx:1.27"
  replicas = 3
  port     = 80
  placement {
    nodes = ["workers"]
  }
}

service "training" {
  image    = "python:3.13"
  command  = ["python", "-m", "http.server", "8080"]
  replicas = 2
  port     = 8080
  cpu      = "2"
  memory   = "4Gi"
  placement {
    nodes    = ["ml"]
    tolerate = ["dedicated=ml:NoSchedule"]
  }
}
