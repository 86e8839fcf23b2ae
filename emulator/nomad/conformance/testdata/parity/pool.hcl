node_pool "spare" {
  description = "spare nodes"

  meta {
    owner = "parity"
  }
}
