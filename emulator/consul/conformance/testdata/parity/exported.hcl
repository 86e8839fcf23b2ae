Kind = "exported-services"
Name = "default"
Services = [
  {
    Name = "db"
    Consumers = [
      {
        Peer = "other"
      },
    ]
  },
]
