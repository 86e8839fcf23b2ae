Kind     = "service-defaults"
Name     = "web"
Protocol = "http"
Meta = {
  owner = "shop"
}
