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

  nlb {
    port     = 80
    protocol = "UDP"

    listener "both" {
      port     = 8080
      protocol = "TCP_UDP"
    }

    listener "lower" {
      port     = 8081
      protocol = "tcp"
    }
  }
}

service "dns" {
  image    = "dns:1"
  replicas = 2
  ports    = { dns = "53/tcp+udp" }

  nlb {
    port        = 853
    protocol    = "TLS"
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  }
}
