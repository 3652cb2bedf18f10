name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  size = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

service "game" {
  image    = "ghcr.io/example/game:1"
  replicas = 2
  ports    = { play = "7777/tcp+udp", voice = "7778/udp" }

  nlb {
    port   = 7777
    target = "play"
    allow  = [for net in range(21) : "203.0.${net}.0/24"]

    listener "voice" {
      port   = 7778
      target = "voice"
    }
  }
}
