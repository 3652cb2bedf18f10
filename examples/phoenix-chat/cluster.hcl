# A Phoenix chat in front of the world, beside a plain nginx, on a cluster that survives the loss of
# any one of its three zones.

name       = "chat.poeticoding.com"
state      = "s3://state.chat.poeticoding.com"
zones      = ["us-east-1a", "us-east-1d", "us-east-1f"]
kubernetes = "1.36" # default: the newest version this release knows

variable "chat_image" {
  default = "alvises/phoenix-chat-example:1_kops_chat"
}

masters {
  count = 3 # odd
  size  = "t3.medium"
}

nodes "workers" {
  count = 6 # or min = 3, max = 9
  size  = "t3.large"
}

api {
  allow = ["203.0.113.7/32"] # default: no address, see `quorate access open`
}

service "nginx" {
  image    = "nginx:1.27"
  replicas = 3
  port     = 80
  stateful = false # any pod may answer any request

  nlb {
    port = 80
  }
}

service "chat" {
  image = var.chat_image
  port  = 4000

  env = {
    PORT              = "4000"
    PHOENIX_CHAT_HOST = "chat.poeticoding.com"
  }

  nlb {
    port   = 80
    domain = "chat.poeticoding.com" # record in Route 53, made and removed with the service
  }
}
