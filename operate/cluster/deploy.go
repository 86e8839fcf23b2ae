package cluster

// volumeNames are the host volumes of each zone, which the parts of the platform keep their data in.
var volumeNames = []string{"nats", "minio", "postgres"}
