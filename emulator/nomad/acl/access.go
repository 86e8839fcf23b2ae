// Package acl decides what the holder of a Nomad ACL token may do: it reads
// policies in the language that Nomad documents, and answers questions about
// what they allow together. The emulated servers ask it for each request.
package acl

// Access is what a caller wants to do with a kind of thing.
type Access string

// The accesses of nodes, agents, operators, quotas, plugins and host volumes.
const (
	Read  Access = "read"
	List  Access = "list"
	Write Access = "write"
)

// Capability is what a policy allows in a namespace.
type Capability string

// The capabilities of a namespace, https://developer.hashicorp.com/nomad/docs/other-specifications/acl-policy.
const (
	ListJobs             Capability = "list-jobs"
	ParseJob             Capability = "parse-job"
	ReadJob              Capability = "read-job"
	SubmitJob            Capability = "submit-job"
	DispatchJob          Capability = "dispatch-job"
	ReadLogs             Capability = "read-logs"
	ReadFS               Capability = "read-fs"
	AllocExec            Capability = "alloc-exec"
	AllocNodeExec        Capability = "alloc-node-exec"
	AllocLifecycle       Capability = "alloc-lifecycle"
	CSIRegisterPlugin    Capability = "csi-register-plugin"
	CSIWriteVolume       Capability = "csi-write-volume"
	CSIReadVolume        Capability = "csi-read-volume"
	CSIListVolume        Capability = "csi-list-volume"
	CSIMountVolume       Capability = "csi-mount-volume"
	HostVolumeCreate     Capability = "host-volume-create"
	HostVolumeRegister   Capability = "host-volume-register"
	HostVolumeRead       Capability = "host-volume-read"
	HostVolumeWrite      Capability = "host-volume-write"
	HostVolumeDelete     Capability = "host-volume-delete"
	ListScalingPolicies  Capability = "list-scaling-policies"
	ReadScalingPolicy    Capability = "read-scaling-policy"
	ReadJobScaling       Capability = "read-job-scaling"
	ScaleJob             Capability = "scale-job"
	SentinelOverride     Capability = "sentinel-override"
	SubmitRecommendation Capability = "submit-recommendation"
)

// Resource is a kind of thing that policies allow as a whole.
type Resource string

// The resources.
const (
	Node     Resource = "node"
	Agent    Resource = "agent"
	Operator Resource = "operator"
	Quota    Resource = "quota"
	Plugin   Resource = "plugin"
)

// The capabilities of an operator.
const (
	SnapshotSave  Capability = "snapshot-save"
	LicenseRead   Capability = "license-read"
	KeyringRotate Capability = "keyring-rotate"
	KeyringRead   Capability = "keyring-read"
	KeyringDelete Capability = "keyring-delete"
)

// The capabilities of variables, by their paths.
const (
	ReadVariable    Capability = "read"
	ListVariable    Capability = "list"
	WriteVariable   Capability = "write"
	DestroyVariable Capability = "destroy"
)

// The capabilities of a node pool.
const (
	ReadNodePool   Capability = "read"
	WriteNodePool  Capability = "write"
	DeleteNodePool Capability = "delete"
)

// The capabilities of a host volume.
const (
	MountReadOnly  Capability = "mount-readonly"
	MountReadWrite Capability = "mount-readwrite"
)

// deny takes away whatever else is allowed.
const deny Capability = "deny"
