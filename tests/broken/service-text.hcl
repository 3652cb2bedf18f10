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
}

service "web" {
  image   = "nginx:1.27"
  command = ["a\u0000b"]
  env     = { LONG = join("", [for i in range(1000) : "${join("", [for j in range(140) : "x"])}"]) }
}
