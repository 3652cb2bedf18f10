# A cluster that survives the loss of any one of its three zones.

locals {
  region = "eu-central-1"
  team   = "platform"
}

name       = "prod.example.com"
state      = "s3://state.prod.example.com"
zones      = [for letter in ["a", "b", "c"] : "${local.region}${letter}"]
kubernetes = "1.36"

masters {
  count = 3
  size  = "m7g.large"
}

nodes "workers" {
  count = 6 # two in each zone: what is left after a zone's loss still carries the work of four
  size  = "m7g.large"
}

api {
  allow = ["203.0.113.0/24"] # the office
}

tags = {
  team = local.team
}
