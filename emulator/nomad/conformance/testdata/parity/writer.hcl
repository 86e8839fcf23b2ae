namespace "default" {
  policy = "write"

  variables {
    path "*" {
      capabilities = ["write", "read", "list", "destroy"]
    }
  }
}

node {
  policy = "write"
}
