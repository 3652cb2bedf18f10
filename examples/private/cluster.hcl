# Machines without public addresses, in three zones, behind a regional NAT gateway.

name  = "private.example.com"
state = "s3://state.private.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "m7i.large"
}

nodes "workers" {
  count = 3
  size  = "m7i.large"
}

# Only load balancers are in public subnets. The traffic of machines to S3 takes a free endpoint.
network {
  topology = "private"
}

# An internal load balancer has addresses of the VPC alone; the other one is reached from everywhere.
service "api" {
  image    = "ghcr.io/example/api:1.4.2"
  replicas = 3
  stateful = false
  port     = 8080
  nlb {
    internal = true
    port     = 80
  }
}

service "web" {
  image    = "nginx:1.29"
  replicas = 3
  stateful = false
  port     = 80
  nlb {
    port = 80
  }
}
