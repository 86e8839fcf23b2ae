job "broken" {
  group "broken" {
    nonsense = true
  }
}
