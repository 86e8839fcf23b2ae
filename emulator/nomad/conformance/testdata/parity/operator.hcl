agent {
  policy = "read"
}

node {
  policy = "read"
}

operator {
  policy = "read"
}
