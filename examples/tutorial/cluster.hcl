# The cluster of the tutorial: three masters and two nodes in two zones.
#
# `quorate plan` warns about it: us-east-1d holds two of the three masters, so losing that zone loses
# the quorum. A third zone prevents that.

name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1d", "us-east-1f"]

masters {
  count = 3
  size  = "t3.medium"
}

nodes "workers" {
  count = 2
  size  = "t3.medium"
}
