name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a"]

masters {
  count = 1
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
}

service "web" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    host = "www"
  }
}
