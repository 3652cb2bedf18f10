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
  zones = ["us-east-1a", "us-east-1b"]
}

service "web" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  ports = {
    metrics   = "9113/http"
    play      = "udp/7777"
    voice     = "70000/udp"
    _internal = "9000"
  }
}
