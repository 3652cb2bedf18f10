# The Phoenix chat of the tutorial at https://chat.poeticoding.com, beside two services that share another host: one load
# balancer for all of them, with certificates that AWS issues and renews.

name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1d", "us-east-1f"]

dns {
  zone = "poeticoding.com" # the hosted zone with the names, and with the records that validate the certificates
}

variable "chat_image" {
  default = "alvises/phoenix-chat-example:1_kops_chat"
}

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

web {
  idle_seconds = 120 # the chat's WebSockets send something every 30 seconds
}

service "chat" {
  image = var.chat_image
  port  = 4000

  env = {
    PORT              = "4000"
    PHOENIX_CHAT_HOST = "chat.poeticoding.com"
  }

  http {
    host = "chat.poeticoding.com"
  }
}

service "site" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80
  stateful = false # any pod may answer any request

  http {
    hosts = ["poeticoding.com", "shop.poeticoding.com"]
  }
}

service "api" {
  image    = "ghcr.io/example/api:1"
  replicas = 2
  port     = 8080
  stateful = false

  http {
    host        = "shop.poeticoding.com"
    path        = "/api" # and everything below it; the rest of the host is the site's
    health_path = "/api/health"
  }
}
