key_prefix "app/" {
  policy = "admire"
}
