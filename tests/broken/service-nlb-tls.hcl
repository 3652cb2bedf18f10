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
    port     = 443
    protocol = "TLS"
    sticky   = true

    listener "plain" {
      port        = 8443
      certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
      tls_policy  = "ELBSecurityPolicy-TLS13-1-3-2021-06"
    }
  }
}
