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

service "worker" {
  image = "worker:1"

  health {
    path = "/health"
  }
}

service "game" {
  image = "game:1"
  ports = { play = "7777/udp" }

  health {
    path = "/health"
    port = "play"
  }
}

service "web" {
  image = "nginx:1.27"
  port  = 80
  ports = { metrics = "9113" }

  health {
    path = "/health"
    port = "metric"
  }
}
