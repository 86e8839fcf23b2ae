package scheduler

// What the scheduler says of what it does, in the words of the real one.
const (
	descriptionNotNeeded    = "alloc not needed due to job update"
	descriptionUpdated      = "alloc is being updated due to job update"
	descriptionMigrated     = "alloc is being migrated"
	descriptionTainted      = "alloc not needed as node is tainted"
	descriptionLost         = "alloc is lost since its node is down"
	descriptionUnknown      = "alloc is unknown since its node is disconnected"
	descriptionReconnected  = "alloc not needed due to disconnected client reconnect"
	descriptionPreempted    = "Preempted by alloc ID %s"
	descriptionBlocked      = "created to place remaining allocations"
	descriptionConflicts    = "created due to placement conflicts"
	descriptionReschedule   = "created for delayed rescheduling"
	descriptionDisconnected = "created for delayed disconnect timeout"
)

// The descriptions of a deployment's status.
const (
	DeploymentRunning      = "Deployment is running"
	DeploymentManual       = "Deployment is running but requires manual promotion"
	DeploymentAutomatic    = "Deployment is running pending automatic promotion"
	DeploymentSuccessful   = "Deployment completed successfully"
	DeploymentJobStopped   = "Cancelled because job is stopped"
	DeploymentNewerVersion = "Cancelled due to newer version of job"
)
