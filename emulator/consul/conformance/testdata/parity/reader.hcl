key_prefix "app/" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
