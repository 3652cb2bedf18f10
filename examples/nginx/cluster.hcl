# nginx on three nodes in three zones, behind a network load balancer. Without a domain of its own: the load balancer's
# name, which `quorate show` prints, leads to it.

name  = "web.example.com"
state = "s3://state.web.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.medium"
}

service "nginx" {
  image    = "nginx:1.27"
  replicas = 3 # one in each zone
  port     = 80
  stateful = false # any pod may answer any request

  nlb {
    port = 80
  }
}
