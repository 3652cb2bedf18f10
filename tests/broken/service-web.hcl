name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

dns {
  zone = "poeticoding.com"
}

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
}

service "a" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    hosts = ["https://www.poeticoding.com/shop/", "www.example.com", "shop"]
    path  = "shop/*"
  }
}

service "b" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    host  = "shop"
    hosts = ["www"]
  }
}

service "c" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    target      = "http"
    health_path = "up"
  }
}

service "d" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    host = "www"
  }
}

service "e" {
  image    = "nginx:1.27"
  replicas = 2
  port     = 80

  http {
    host = "www.chat.poeticoding.com"
  }
}
