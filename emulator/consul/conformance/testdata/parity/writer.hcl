key_prefix "app/" {
  policy = "write"
}
service "web" {
  policy = "write"
}
session_prefix "" {
  policy = "write"
}
agent_prefix "" {
  policy = "read"
}
