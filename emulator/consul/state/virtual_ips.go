package state

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/go-memdb"

	"github.com/drydock/drydock/emulator/store"
)

// TableVirtualIPs is the table of the addresses by which transparent proxies
// know services.
const TableVirtualIPs = "virtual-ips"

// virtualAddress is the tag of the address among an instance's others.
const virtualAddress = "consul-virtual"

// VirtualIP is the address that a service has in the mesh. A service keeps its
// address after its last instance is gone, so that nobody who remembers it
// reaches another service.
type VirtualIP struct {
	Service     string
	Number      uint32   // counted from 240.0.0.0
	Manual      []string // addresses given to it from outside
	CreateIndex uint64
	ModifyIndex uint64
}

func virtualIPTable() store.Table {
	return store.Rows[VirtualIP](
		store.Unique("id", store.Folded("Service")),
		store.Unique("number", &memdb.UintFieldIndex{Field: "Number"}),
		store.Many("manual", &memdb.StringSliceFieldIndex{Field: "Manual"}),
	)
}

// Address is the address as text.
func (ip *VirtualIP) Address() string {
	const first = 240 << 24
	var address [4]byte
	binary.BigEndian.PutUint32(address[:], first+ip.Number)
	return netip.AddrFrom4(address).String()
}

// AssignVirtualIP finds the address of a service, which gets one if it has none.
func (tx *Tx) AssignVirtualIP(service string) *VirtualIP {
	ip := store.First[VirtualIP](tx, TableVirtualIPs, "id", service)
	if ip != nil {
		return ip
	}
	ip = &VirtualIP{Service: service, Number: 1, CreateIndex: tx.ChangeIndex(), ModifyIndex: tx.ChangeIndex()}
	for last := range store.Backward[VirtualIP](tx, TableVirtualIPs, "number") {
		ip.Number = last.Number + 1
		break
	}
	tx.Insert(TableVirtualIPs, ip)
	return ip
}

// withVirtualIP adds the virtual address to an instance that is reached with Connect.
func (tx *Tx) withVirtualIP(s Service) Service {
	name := s.ConnectName()
	if name == "" {
		return s
	}
	addresses := map[string]api.ServiceAddress{}
	for tag, address := range s.TaggedAddresses {
		addresses[tag] = address
	}
	if _, ok := addresses[virtualAddress]; !ok {
		addresses[virtualAddress] = api.ServiceAddress{Address: tx.AssignVirtualIP(name).Address(), Port: s.Port}
	}
	s.TaggedAddresses = addresses
	return s
}

// isConfigured tells whether a configuration entry is about the service.
func (v *View) isConfigured(service string) bool {
	kinds := []string{api.ServiceDefaults, api.ServiceResolver, api.ServiceRouter, api.ServiceSplitter, api.ServiceIntentions}
	return slices.ContainsFunc(kinds, func(kind string) bool {
		return store.First[ConfigEntry](v, TableConfigEntries, "id", kind, service) != nil
	})
}

// NotAnAddressError says that a text is not an IP address.
type NotAnAddressError struct{ Text string }

func (e *NotAnAddressError) Error() string {
	return fmt.Sprintf("%q is not a valid ip address", e.Text)
}

// AssignManualIPs gives addresses to a service, instead of those that it had
// been given before, and takes them from all others, whose names it returns. It
// does nothing, and found is false, when nothing is known of the service in the mesh.
func (tx *Tx) AssignManualIPs(service string, addresses []string) (found bool, taken []string, err error) {
	for _, address := range addresses {
		if _, err := netip.ParseAddr(address); err != nil {
			return false, nil, &NotAnAddressError{address}
		}
	}
	if store.First[VirtualIP](tx, TableVirtualIPs, "id", service) == nil && !tx.isConfigured(service) {
		return false, nil, nil
	}
	ip := tx.AssignVirtualIP(service)
	for _, address := range addresses {
		holder := store.First[VirtualIP](tx, TableVirtualIPs, "manual", address)
		if holder == nil || SameName(holder.Service, service) {
			continue
		}
		rest := *holder
		rest.Manual = slices.DeleteFunc(slices.Clone(rest.Manual), func(text string) bool { return slices.Contains(addresses, text) })
		rest.ModifyIndex = tx.ChangeIndex()
		tx.Insert(TableVirtualIPs, &rest)
		taken = append(taken, holder.Service)
	}
	changed := *ip
	changed.Manual, changed.ModifyIndex = addresses, tx.ChangeIndex()
	tx.Insert(TableVirtualIPs, &changed)
	return true, taken, nil
}
