package consul

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/ca"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func connectRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/connect/ca/roots", caRoots),
		faithful(http.MethodGet, "/v1/connect/ca/configuration", getAuthority),
		partial(http.MethodPut, "/v1/connect/ca/configuration", putAuthority, "the one provider is consul: Vault's and AWS's are not there"),
	}
}

// providerConsul is the provider that issues certificates itself.
const providerConsul = "consul"

// authority is the state of the certificate authority, which the primary
// datacenter has for all.
func (d *datacenter) authority() *state.Store { return d.consul.primary().store }

// trustDomain is the domain of all identities that the certificate authority gives out.
func (d *datacenter) trustDomain() string {
	if a := d.authority().View().Authority(); a != nil {
		return ca.TrustDomain(a.ClusterID)
	}
	return ""
}

// openAuthority makes the certificate authority when there is none yet.
func (d *datacenter) openAuthority(given map[string]any) error {
	if d.store.View().Authority() != nil {
		return nil
	}
	config := map[string]any{"LeafCertTTL": "72h", "IntermediateCertTTL": "8760h", "RootCertTTL": "87600h"}
	clusterID := uuid.NewString()
	for key, value := range given {
		name := strings.ReplaceAll(key, "_", "") // files have snake_case, and case does not matter
		if id, ok := value.(string); ok && strings.EqualFold(name, "ClusterID") {
			clusterID = id
			continue
		}
		maps.DeleteFunc(config, func(other string, _ any) bool { return strings.EqualFold(other, name) })
		config[name] = value
	}
	parsed, err := ca.ParseConfig(config)
	if err != nil {
		return err
	}
	return d.store.Write(func(tx *state.Tx) error {
		tx.PutAuthority(state.Authority{ClusterID: clusterID, Provider: providerConsul, Config: config})
		root, err := ca.NewRoot(parsed, clusterID, issue(tx))
		if err != nil {
			return err
		}
		tx.PutRoot(root)
		return nil
	})
}

func issue(tx *state.Tx) ca.Issue { return ca.Issue{Serial: tx.NextSerial(), Now: tx.Now()} }

// needConnect is an error unless the certificate authority is on.
func (r *request) needConnect() error {
	if r.dc.consul.options.WithoutConnect {
		return fail(http.StatusInternalServerError, "Connect must be enabled in order to use this endpoint")
	}
	return nil
}

// rootList is what clients trust.
type rootList struct {
	ActiveRootID string
	TrustDomain  string
	Roots        []rootAnswer
}

// rootAnswer is a root as it is shown, without its key.
type rootAnswer struct {
	ID                  string
	Name                string
	SerialNumber        uint64
	SigningKeyID        string
	ExternalTrustDomain string
	NotBefore           time.Time
	NotAfter            time.Time
	RootCert            string
	IntermediateCerts   []string
	Active              bool
	PrivateKeyType      string
	PrivateKeyBits      int
	CreateIndex         uint64
	ModifyIndex         uint64
}

func caRoots(r *request) (any, error) {
	if err := r.needConnect(); err != nil {
		return nil, err
	}
	asPEM := r.query.Get("pem") == "true"
	return r.blockOn(r.dc.authority(), func(view *state.View) (any, uint64, error) {
		list := rootList{TrustDomain: r.dc.trustDomain(), Roots: []rootAnswer{}}
		var chain strings.Builder
		for root := range store.All[state.CARoot](view, state.TableRoots, "id") {
			if root.Active {
				list.ActiveRootID = root.ID
			}
			chain.WriteString(root.RootCert)
			list.Roots = append(list.Roots, rootAnswer{
				root.ID, root.Name, root.SerialNumber, root.SigningKeyID, root.ExternalTrustDomain,
				root.NotBefore, root.NotAfter, root.RootCert, root.IntermediateCerts, root.Active,
				root.PrivateKeyType, root.PrivateKeyBits, root.CreateIndex, root.ModifyIndex,
			})
		}
		if asPEM {
			r.header.Set("Content-Type", "application/pem-certificate-chain")
			return text(chain.String()), view.Index(state.TableRoots), nil
		}
		return list, view.Index(state.TableRoots), nil
	})
}

// authorityAnswer is the configuration as the API shows and takes it.
type authorityAnswer struct {
	Provider                 string
	Config                   map[string]any
	State                    map[string]string
	ForceWithoutCrossSigning bool
	CreateIndex              uint64
	ModifyIndex              uint64
}

func getAuthority(r *request) (any, error) {
	if err := r.needConnect(); err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Operator, ""); err != nil { // it may have secrets
		return nil, err
	}
	a := r.dc.authority().View().Authority()
	return authorityAnswer{Provider: a.Provider, Config: a.Config, State: a.State, CreateIndex: a.CreateIndex, ModifyIndex: a.ModifyIndex}, nil
}

func putAuthority(r *request) (any, error) {
	if err := r.needConnect(); err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Operator, ""); err != nil {
		return nil, err
	}
	var wanted authorityAnswer
	if err := r.decode(&wanted); err != nil {
		return nil, err
	}
	if wanted.Provider != providerConsul {
		return nil, fmt.Errorf("could not initialize provider: unknown CA provider %q", wanted.Provider)
	}
	parsed, err := ca.ParseConfig(wanted.Config)
	if err != nil {
		return nil, err
	}
	return nil, r.dc.authority().Write(func(tx *state.Tx) error {
		old := tx.Authority()
		next := *old
		next.Config, next.State = wanted.Config, passedState(wanted.Config)
		tx.PutAuthority(next)
		return rotate(tx, old.Config, parsed, wanted.ForceWithoutCrossSigning)
	})
}

// passedState is the state that the provider is given to keep.
func passedState(config map[string]any) map[string]string {
	given, _ := config["test_state"].(map[string]any)
	kept := map[string]string{}
	for key, value := range given {
		kept[key] = fmt.Sprint(value)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// rotate makes a new root when the configuration asks for another key than
// the active root's. The old root signs it too, so that who knows only that
// one goes on trusting.
func rotate(tx *state.Tx, before map[string]any, wanted ca.Config, abruptly bool) error {
	had, err := ca.ParseConfig(before)
	if err != nil {
		return err
	}
	if had.SameRoot(wanted) {
		return nil
	}
	root, err := ca.NewRoot(wanted, tx.Authority().ClusterID, issue(tx))
	if err != nil {
		return err
	}
	if active := tx.ActiveRoot(); active != nil && !abruptly && !wanted.DisableCrossSigning {
		if root, err = active.Signer().CrossSign(root, issue(tx)); err != nil {
			return err
		}
	}
	tx.PutRoot(root)
	return nil
}
