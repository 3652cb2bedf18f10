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
    port   = 80
    target = "mian"
  }
}

service "game" {
  image    = "game:1"
  replicas = 2
  ports    = { chat = "7000", play = "7777/udp" }

  nlb {
    listener "play" {
      port = 7777
    }
  }
}
