namespace "default" {
  policy = "nonsense"
}
