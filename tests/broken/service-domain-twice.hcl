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

service "a" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  nlb {
    port   = 80
    domain = "www.poeticoding.com"
  }
}

service "b" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  nlb {
    port   = 8080
    domain = "www.poeticoding.com"
  }
}
