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

// Authorizer answers what a caller may do. It is immutable, and may be used
// from any goroutine.
type Authorizer struct{ management bool }

// Management is the Authorizer that allows everything.
func Management() *Authorizer { return &Authorizer{management: true} }

// Namespace tells whether any of the capabilities is allowed in the namespace.
func (a *Authorizer) Namespace(namespace string, any ...Capability) bool { return a.management }

// AnyNamespace tells whether any of the capabilities is allowed in any namespace.
func (a *Authorizer) AnyNamespace(any ...Capability) bool { return a.management }

// Allows tells whether the access to the resource is allowed.
func (a *Authorizer) Allows(access Access, resource Resource) bool { return a.management }

// IsManagement tells whether everything is allowed.
func (a *Authorizer) IsManagement() bool { return a.management }
