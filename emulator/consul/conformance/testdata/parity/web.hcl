service {
  id      = "web-1"
  name    = "web"
  address = "10.0.0.1"
  port    = 8080
  tags    = ["v1", "blue"]
  meta = {
    team = "shop"
  }
  weights {
    passing = 10
    warning = 1
  }
  check {
    id   = "web-alive"
    name = "alive"
    ttl  = "1h"
  }
}
