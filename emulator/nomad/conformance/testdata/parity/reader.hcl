namespace "default" {
  policy = "read"

  variables {
    path "app/*" {
      capabilities = ["read", "list"]
    }
  }
}
