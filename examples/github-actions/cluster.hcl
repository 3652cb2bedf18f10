# A cluster that pull requests change: .github/workflows plans each of them, and applies what is merged.

name    = "chat.example.com"
state   = "s3://state.chat.example.com"
account = "111122223333"
zones   = ["us-east-1a", "us-east-1b", "us-east-1c"]

# A pull request that takes this away fails.
require {
  survives = "zone"
}

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 3
  size  = "t3.large"
}

service "web" {
  image    = "nginx:1.27"
  replicas = 3
  port     = 80
  nlb {
    port = 80
  }
}
