# The smallest cluster: one master, one node, one zone, and no names in Route 53. It survives the loss
# of nothing, which is fine for trying things out.

name  = "hello.quorate.internal"
state = "file:./state"
zones = ["us-east-1a"]

masters {
  count = 1
  size  = "t3.medium"
}

nodes "workers" {
  count = 1
  size  = "t3.medium"
}

dns {
  public = false
}
