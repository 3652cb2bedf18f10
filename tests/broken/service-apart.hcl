name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

service "chat" {
  image    = "chat:1"
  replicas = 2
  port     = 4000
  env      = { HOST = "chat.poeticoding.com" }

  nlb {
    port = 80
  }
}

# Each of the others has an answer.
service "leading" {
  image    = "chat:1"
  replicas = 2
  port     = 4000
  env      = { STORE = "redis://redis.default:6379/0" }

  nlb {
    port = 81
  }
}

service "pages" {
  image    = "nginx:1.27"
  min      = 2
  max      = 4
  cpu      = "250m"
  port     = 80
  stateful = false

  nlb {
    port = 82
  }
}

service "redis" {
  image = "redis:7"
  port  = 6379
}

service "sessions" {
  image    = "shop:1"
  replicas = 2
  port     = 80

  nlb {
    port   = 83
    sticky = true
  }
}

service "shop" {
  image = "shop:1"
  min   = 1
  max   = 3
  cpu   = "250m"
  port  = 80

  nlb {
    port = 84
  }
}
