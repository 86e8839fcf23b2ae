service {
  port = 1
}
