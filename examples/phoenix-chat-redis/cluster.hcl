# Two replicas of a chat that see each other's messages: they share them through a Redis inside the cluster, which they
# reach by its name. The chat's image must use it (Phoenix.PubSub.Redis, for example).

name  = "chat.example.com"
state = "s3://state.chat.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

variable "chat_image" {
  default = "ghcr.io/example/phoenix-chat:2-redis"
}

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

service "chat" {
  image    = var.chat_image
  replicas = 2
  port     = 4000
  cpu      = "250m"
  memory   = "512Mi"

  env = {
    PORT       = "4000"
    REDIS_HOST = "redis"
  }

  secrets = {
    SECRET_KEY_BASE = "chat/secret-key-base" # kubectl create secret generic chat --from-literal=secret-key-base=…
  }

  health {
    path = "/"
  }

  nlb {
    port = 80
  }
}

# No `nlb`: only the cluster reaches it, as `redis`.
service "redis" {
  image = "redis:7"
  args  = ["--appendonly", "yes"]
  port  = 6379

  volume "data" {
    path = "/data"
    gib  = 10
  }
}
