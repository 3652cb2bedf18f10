name  = "chat.poeticoding.com"
state = <<EOT
s3://state
