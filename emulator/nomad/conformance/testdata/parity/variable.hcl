path = "app/file"

items {
  user     = "u"
  password = "p"
}
