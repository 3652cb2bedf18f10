name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a"]

masters {
  count = 1
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.large"
}

service "web" {
  image = "nginx:1.27"
  port  = 80
  files = { "/etc/web.toml" = "x" }
  volume "data" {
    path = "/data"
    gib  = 5
  }
  security {
    run_as_user  = -1
    user         = 1000
    capabilities = ["CAP_NET_RAW", "NET_BIND", "ALL", "KILL"]
    seccomp      = "unconfined"
    writable     = ["tmp", "/data/cache", "/etc/web.toml", "/run", "/run"]
  }
}
