# Three node groups for three kinds of work: web services, machine learning on Spot Instances, and small tools. The services have
# jobs, a sidecar, limited rights, and pods with a volume each.

name  = "teams.example.com"
state = "s3://state.teams.example.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

masters {
  count = 3
  size  = "m7i.large"
}

# What has to be there stays on On-Demand Instances.
nodes "workers" {
  count = 3
  size  = "m7i.large"
}

# Only pods that tolerate the taint run here. AWS takes whichever size it has capacity for; one node is never taken back.
nodes "ml" {
  count  = 4
  sizes  = ["m7i.2xlarge", "m6i.2xlarge", "m5.2xlarge"]
  labels = { team = "ml" }
  taints = ["dedicated=ml:NoSchedule"]
  spot {
    on_demand_base = 1
  }
}

# Small nodes with few pods keep more of their memory for them.
nodes "tools" {
  count  = 2
  size   = "t3.medium"
  labels = { team = "tools", "node-role.kubernetes.io/tools" = "" }
  kubelet {
    max_pods = 40
    reserved {
      memory = "600Mi"
    }
  }
}

service "web" {
  image    = "nginx:1.27"
  replicas = 3
  port     = 80
  placement {
    nodes = ["workers"]
  }
}

# The schema of the database is changed before the new pods start; a report is made each working day.
service "shop" {
  image    = "ghcr.io/example/shop:1"
  replicas = 3
  port     = 4000
  secrets  = { DATABASE_URL = "shop/database-url" }
  placement {
    nodes = ["workers"]
  }
  security {
    run_as_user    = 1000
    read_only_root = true
    writable       = ["/tmp"]
  }
  job "migrate" {
    command = ["/app/bin/migrate"]
  }
  job "report" {
    command   = ["/app/bin/report"]
    schedule  = "0 6 * * MON-FRI"
    time_zone = "America/Sao_Paulo"
  }
  sidecar "statsd" {
    image  = "prom/statsd-exporter:v0.28.0"
    ports  = { metrics = "9102" }
    memory = "64Mi"
  }
}

# Each pod has a volume and a name of its own: queue-0.queue-pods, and so on. NATS copies its streams between them.
service "queue" {
  image    = "nats:2.11"
  replicas = 3
  port     = 4222
  ports    = { cluster = "6222", monitor = "8222" }
  files = {
    "/etc/nats/nats-server.conf" = <<-EOT
      server_name: $HOSTNAME
      http_port: 8222
      jetstream { store_dir: /data }
      cluster {
        name: queue
        listen: "0.0.0.0:6222"
        routes: ["nats://queue-0.queue-pods:6222", "nats://queue-1.queue-pods:6222", "nats://queue-2.queue-pods:6222"]
      }
    EOT
  }
  health {
    path = "/healthz"
    port = "monitor"
  }
  placement {
    nodes = ["workers"]
  }
  volume "data" {
    path = "/data"
    gib  = 20
  }
}

service "training" {
  image    = "python:3.13"
  command  = ["python", "-m", "http.server", "8080"]
  replicas = 2
  port     = 8080
  cpu      = "2"
  memory   = "4Gi"
  placement {
    nodes    = ["ml"]
    tolerate = ["dedicated=ml:NoSchedule"]
  }
}
